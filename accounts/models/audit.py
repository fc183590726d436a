from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """What somebody changed of roles, prices, taxes and second factors, or took out of the shop.

    Append-only: a trigger refuses every change (migration `roles_and_audit`). Most rows are written
    by triggers on the tables themselves, so that no way to change them can forget it; who and from
    which door is what `accounts.services.audit.sign` told the transaction. People are kept as bare
    numbers, which lead nowhere once a person is erased. What moves money stands in the ledger, what
    moves pieces in the stock movements, each with its own who, when and why.
    """

    class Kind(models.TextChoices):
        GROUP = "group", _("role in the shop")
        RIGHTS = "rights", _("rights of a person")
        GROUP_RIGHTS = "group_rights", _("rights of a group")
        MEMBER = "member", _("role at a seller")
        SECOND_FACTOR = "second_factor", _("second factor")
        PRICE = "price", _("price")
        TAX = "tax", _("tax rate")
        DELIVERY = "delivery", _("delivery price")
        EXPORT = "export", _("export")
        LOOK_AS_BEGUN = "look_as_begun", _("began to look as a shopper")
        LOOK_AS_ENDED = "look_as_ended", _("stopped looking as a shopper")

    class Door(models.TextChoices):
        ADMIN = "admin", _("admin")
        IMPORT = "import", _("import")
        COMMAND = "command", _("command line")
        DATABASE = "database", _("not told")

    created_at = models.DateTimeField(_("when"), db_default=Now())
    kind = models.CharField(_("what"), max_length=20, choices=Kind.choices)
    door = models.CharField(
        _("from where"), max_length=12, choices=Door.choices, db_default=Door.DATABASE
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("who"),
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("person"),
    )
    seller = models.ForeignKey(
        "Seller",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("seller"),
    )
    subject = models.CharField(_("object"), max_length=80, db_default="")
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)
    reason = models.CharField(_("reason"), max_length=300, db_default="")

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["subject", "-id"], name="audit_subject"),
            models.Index(fields=["person", "-id"], name="audit_person"),
            models.Index(fields=["actor", "-id"], name="audit_actor"),
            models.Index(fields=["seller", "-id"], name="audit_seller"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"
