from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Customer(models.Model):
    """A person as a provider knows them, so that it can keep their cards; we keep none.

    `key` is stored before the provider is asked, so that two checkouts at once make one. `email` is
    what it was told then: the same key must say the same. An empty `provider_id` is not known yet.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    provider = models.CharField(max_length=20)
    key = models.CharField(max_length=60, unique=True)
    email = models.EmailField(max_length=254)
    provider_id = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("provider's customer")
        verbose_name_plural = _("provider's customers")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "provider"], name="customer_once_per_user_and_provider"
            )
        ]

    def __str__(self) -> str:
        return self.key
