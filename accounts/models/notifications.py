from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class NotificationPreferences(models.Model):
    """Which mails beside those about orders somebody gets: a person, or an address without account.

    Mails about orders, payments and the account itself always come.
    """

    user = models.OneToOneField(
        "accounts.User",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="notification_preferences",
    )
    email = models.EmailField(_("email"), max_length=254, null=True, blank=True, unique=True)
    restock = models.BooleanField(_("back in stock"), db_default=True)
    reviews = models.BooleanField(_("reviews"), db_default=True)
    news = models.BooleanField(_("news"), db_default=False)

    class Meta:
        verbose_name = _("notification preferences")
        verbose_name_plural = _("notification preferences")
        constraints = [
            models.CheckConstraint(
                name="notifications_of_one",
                condition=Q(user=None, email__isnull=False) | Q(user__isnull=False, email=None),
            )
        ]

    def __str__(self) -> str:
        return self.email or str(self.user_id)
