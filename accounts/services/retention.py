"""What this floor and the ground keep for a while, and forget at night."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db.models import Q

from accounts.models import DataCopy
from shop.clock import now
from shop.models import Mail
from shop.services.forgetting import EMPTY_MAIL, delete_in_batches, update_in_batches
from shop.transactions import no_transaction

NEVER_MADE = timedelta(days=1)


@no_transaction
def forget_old() -> None:
    """Forget mails, sign-ins and copies that are past their time. In batches; nobody waits for it."""
    mails = Mail.objects.exclude(recipient="").filter(
        sent_at__lt=now() - timedelta(days=settings.RETENTION_MAIL_DAYS)
    )
    update_in_batches(mails, **EMPTY_MAIL, error="")
    model = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()
    is_open = model.objects.filter(expire_date__gt=now()).values("session_key")
    delete_in_batches(UserSession.objects.exclude(session_key__in=is_open))
    is_over = Q(lapses_at__lt=now()) | Q(ready_at=None, asked_at__lt=now() - NEVER_MADE)
    delete_in_batches(DataCopy.objects.filter(is_over))
