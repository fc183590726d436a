from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Mail(models.Model):
    """One message to one person; the row comes first, so staff see what was sent or is stuck.

    `unsubscribe_url` is where one click ends mails of its kind; mails that always come have none.
    """

    LAST = "accounts.erased"

    kind = models.CharField(max_length=60)
    reference = models.CharField(max_length=120)
    recipient = models.EmailField(_("to"), max_length=254)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    language = models.CharField(max_length=10)
    unsubscribe_url = models.CharField(max_length=300, blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    sending_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "reference"], name="mail_once_per_occasion")
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def opens_an_account(self) -> bool:
        """Say whether whoever reads this mail can take over the account it is about."""
        return self.kind.startswith("account.")

    @property
    def is_the_last(self) -> bool:
        """Say whether it tells somebody that they are erased: once sent it is nobody's any more."""
        return self.kind == self.LAST
