from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField, CurrencyField

PROVIDER = "provider:"
"""An account of each provider's own begins so: `provider:stripe`."""


class Account(models.TextChoices):
    """Where money stands, beside one account per provider; see docs/ledger.md."""

    UNAPPLIED = "unapplied", _("paid, and not for a placed order")
    SELLERS = "sellers", _("owed to sellers")
    TAX = "tax", _("tax owed")
    DELIVERY = "delivery", _("delivery")
    DISCOUNTS = "discounts", _("discounts")
    REFUNDS = "refunds", _("refunds on the way")
    DISPUTES = "disputes", _("disputes")
    FEES = "fees", _("fees for disputes")


SHARES = (Account.SELLERS, Account.TAX, Account.DELIVERY, Account.DISCOUNTS)
"""What a placed order's total is made of; money is in them while the order stands."""


class LedgerTransaction(models.Model):
    """Something that moved money, in entries that sum to zero; append-only by the database.

    `key` names what it stands for (`capture:<id of the payment transaction>`), so that nothing is
    booked twice. The database lets nobody change a row but to forget `actor` and `reason`.
    """

    class Kind(models.TextChoices):
        CAPTURE = "capture", _("paid")
        REFUND = "refund", _("refunded")
        REVERSAL = "reversal", _("the refund came back")
        DISPUTE = "dispute", _("taken for a dispute")
        DISPUTE_WON = "dispute_won", _("given back after a dispute")
        FEE = "fee", _("dispute fee")
        FEE_RETURNED = "fee_returned", _("dispute fee taken back")
        PLACEMENT = "placement", _("order placed")
        RETURN = "return", _("given back")
        RETURN_UNDONE = "return_undone", _("not given back after all")
        SENDING = "sending", _("refund decided")
        SENDING_FAILED = "sending_failed", _("refund failed")

    kind = models.CharField(max_length=16, choices=Kind.choices)
    key = models.CharField(max_length=80, unique=True)
    order = models.ForeignKey(
        "Order", on_delete=models.PROTECT, null=True, blank=True, related_name="ledger"
    )
    currency = CurrencyField()
    reason = models.CharField(max_length=200, blank=True, db_default="")
    actor = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("ledger transaction")
        verbose_name_plural = _("ledger transactions")
        ordering = ["id"]
        indexes = [models.Index(fields=["kind", "created_at"], name="ledger_kind_time")]

    def __str__(self) -> str:
        return self.key


class LedgerEntry(models.Model):
    """A signed amount on an account, in its transaction's currency.

    Positive is money that the shop has, negative is money that it owes or earned. `created_at`
    repeats the transaction's, so that an account is summed over days by one index.
    """

    transaction = models.ForeignKey(
        LedgerTransaction, on_delete=models.PROTECT, related_name="entries"
    )
    account = models.CharField(max_length=40)
    seller = models.ForeignKey(
        "accounts.Seller", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    amount = AmountField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["account", "created_at"], name="ledger_account_time"),
            models.Index(
                fields=["seller", "created_at"],
                name="ledger_seller_time",
                condition=Q(seller__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="ledger_entry_not_zero", condition=~Q(amount=0)),
            models.UniqueConstraint(
                fields=["transaction", "account", "seller"],
                name="ledger_entry_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.amount:f}"
