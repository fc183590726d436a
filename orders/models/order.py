from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField, CurrencyField
from shop.money import Money


class Order(models.Model):
    """A purchase, frozen at placement: prices, taxes, addresses and names are copies.

    `erased_at`: its person was erased, and nobody but staff sees it any more. `forgotten_at`: it says
    nothing of a person any more, because it was never paid or the law's time is over.

    `total` = items + shipping, tax included; `items_total` and `shipping_total` are what the
    shopper saw (with tax when `prices_include_tax`), `tax_total` is the tax in or on top of them.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("waiting for payment")
        PLACED = "placed", _("placed")
        COMPLETED = "completed", _("completed")
        CANCELLED = "cancelled", _("cancelled")
        EXPIRED = "expired", _("expired")

    class PaymentStatus(models.TextChoices):
        PENDING = "pending", _("pending")
        AUTHORIZED = "authorized", _("authorized")
        PAID = "paid", _("paid")
        PARTIALLY_REFUNDED = "partially_refunded", _("partially refunded")
        REFUNDED = "refunded", _("refunded")
        VOIDED = "voided", _("voided")

    class FulfilmentStatus(models.TextChoices):
        UNFULFILLED = "unfulfilled", _("to be shipped")
        PARTIALLY_FULFILLED = "partially_fulfilled", _("partly shipped")
        FULFILLED = "fulfilled", _("shipped")
        DELIVERED = "delivered", _("delivered")

    class Stage(models.TextChoices):
        PENDING = "Pending", _("Pending")
        PROCESSING = "Processing", _("Processing")
        SHIPPED = "Shipped", _("Shipped")
        DELIVERED = "Delivered", _("Delivered")
        CANCELLED = "Cancelled", _("Cancelled")
        REFUNDED = "Refunded", _("Refunded")

    ALLOWED_CHANGES = {
        Status.PENDING: {Status.PLACED, Status.CANCELLED, Status.EXPIRED},
        Status.PLACED: {Status.COMPLETED, Status.CANCELLED},
        # Money that comes late revives an order when its stock is still there.
        Status.EXPIRED: {Status.PLACED},
        Status.CANCELLED: set(),
        Status.COMPLETED: set(),
    }

    number = models.CharField(_("number"), max_length=20, unique=True)
    submit_key = models.UUIDField(unique=True, editable=False)
    user = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    email = models.EmailField(_("email"), max_length=254)
    language = models.CharField(max_length=10)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.PENDING
    )
    payment_status = models.CharField(
        _("payment"), max_length=20, choices=PaymentStatus.choices, default=PaymentStatus.PENDING
    )
    fulfilment_status = models.CharField(
        _("fulfilment"),
        max_length=20,
        choices=FulfilmentStatus.choices,
        default=FulfilmentStatus.UNFULFILLED,
    )
    currency = CurrencyField()
    prices_include_tax = models.BooleanField()
    items_total = AmountField(_("items"))
    shipping_total = AmountField(_("delivery"), default=0)
    discount_total = AmountField(_("discount"), default=0)
    tax_total = AmountField(_("tax"), default=0)
    total = AmountField(_("total"))
    shipping_method = models.CharField(max_length=60, blank=True)
    shipping_label = models.CharField(_("delivery method"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("ordered"), db_default=Now())
    expires_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    forgotten_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-id"]
        permissions = [("refund_order", _("Can take an order's money and give it back"))]
        indexes = [
            models.Index(fields=["expires_at"], name="order_unpaid", condition=Q(status="pending")),
            models.Index(fields=["email"], name="order_email"),
            models.Index(Lower("email"), name="order_of_guest", condition=Q(user=None)),
            models.Index(
                fields=["created_at"], name="order_remembered", condition=Q(forgotten_at=None)
            ),
            models.Index(
                fields=["paid_at"], name="order_paid_at", condition=Q(paid_at__isnull=False)
            ),
            models.Index(fields=["status", "fulfilment_status", "-id"], name="order_worklist"),
        ]
        constraints = [
            models.CheckConstraint(
                name="order_total_adds_up",
                condition=Q(
                    prices_include_tax=True,
                    total=F("items_total") + F("shipping_total") - F("discount_total"),
                )
                | Q(
                    prices_include_tax=False,
                    total=F("items_total")
                    + F("shipping_total")
                    + F("tax_total")
                    - F("discount_total"),
                ),
            ),
            models.CheckConstraint(name="order_total_not_negative", condition=Q(total__gte=0)),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def stage(self) -> Stage:
        """What shoppers and programs see, made from the three status fields."""
        if self.payment_status == self.PaymentStatus.REFUNDED:
            return self.Stage.REFUNDED
        if self.status in (self.Status.CANCELLED, self.Status.EXPIRED):
            return self.Stage.CANCELLED
        if self.status == self.Status.PENDING:
            return self.Stage.PENDING
        if self.fulfilment_status == self.FulfilmentStatus.DELIVERED:
            return self.Stage.DELIVERED
        if self.fulfilment_status == self.FulfilmentStatus.FULFILLED:
            return self.Stage.SHIPPED
        return self.Stage.PROCESSING

    @property
    def is_uncharged(self) -> bool:
        """Say whether it was placed while its money is only set aside."""
        return (
            self.status == self.Status.PLACED
            and self.payment_status == self.PaymentStatus.AUTHORIZED
        )

    @property
    def total_money(self) -> Money:
        return Money(self.total, self.currency)

    def can_become(self, status: str) -> bool:
        return status in self.ALLOWED_CHANGES[self.Status(self.status)]


class OrderAddress(models.Model):
    """Where an order goes, or who pays it, as it was typed then."""

    class Kind(models.TextChoices):
        SHIPPING = "shipping", _("delivery")
        BILLING = "billing", _("billing")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="addresses")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=120)
    street = models.CharField(_("street"), max_length=200)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100)
    region = models.CharField(_("region"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2)
    phone = models.CharField(_("phone"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("order address")
        verbose_name_plural = _("order addresses")
        constraints = [
            models.UniqueConstraint(fields=["order", "kind"], name="order_address_once_per_kind")
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.city}"


class OrderEvent(models.Model):
    """A line of an order's timeline: what happened, when, by whom and why; append-only."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=40)
    message = models.CharField(max_length=300)
    actor = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("order event")
        verbose_name_plural = _("order events")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.message


class OrderPayment(models.Model):
    """The row that joins an order with an attempt to pay it; payments know no orders."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    attempt = models.OneToOneField(
        "payments.PaymentAttempt", on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = _("order payment")
        verbose_name_plural = _("order payments")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.attempt_id}"
