"""Somebody of whom something lies in every table that may hold something, in words found nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialToken
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Address, DataCopy, NotificationPreferences, User
from cart.models import Cart
from catalog.models import (
    HelpfulVote,
    ImageAsset,
    Purchase,
    RestockRequest,
    Review,
    ReviewPhoto,
    SearchRecord,
    Wishlist,
    WishlistItem,
)
from orders.models import LedgerTransaction, Order, OrderAddress, OrderRefund
from orders.services import cancellation, fulfilment, payment, refunding, timeline
from payments.models import PaymentAttempt, ProviderEvent, ReconciliationBreak
from payments.simulator.running import Simulator
from shop.models import Mail, OutboxMessage
from shop.services import mailer
from tests.factories.accounts import StaffFactory, UserFactory
from tests.factories.catalog import ReviewFactory, VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, session_of
from tests.outbox import deliver_outbox

EMAIL, SECOND_EMAIL = "canary.ada@example.com", "second-canary@example.com"
NAME, STREET, CITY, PHONE = "Canaria Quill", "Canarygasse 7", "Canarystadt", "+49 30 42424242"
POSTCODE, IP, AGENT = "CANARY1", "203.0.113.77", "Firefox/canary on Linux"
MARKS = ("canar", "42424242", IP, "203.0.113.78")
ADDRESS = {"name": NAME, "street": STREET, "postcode": POSTCODE, "city": CITY, "phone": PHONE}
DRAFT = {"email": EMAIL, "name": NAME, "street": STREET, "phone": PHONE}


@dataclass
class Canary:
    user: User
    paid: Order
    unpaid: Order
    guest_order: Order
    files: list[str] = field(default_factory=list)


def make_canary(simulator: Simulator) -> Canary:
    """Let somebody buy, write, vote, wish, sign in and be written to."""
    user = UserFactory(email=EMAIL, name=NAME)
    Address.objects.create(user=user, country="DE", **ADDRESS)
    NotificationPreferences.objects.create(user=user, news=True)
    NotificationPreferences.objects.create(email=EMAIL, restock=False)
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)
    EmailAddress.objects.create(user=user, email=SECOND_EMAIL, verified=True)
    _sign_in(user)
    mug = VariantFactory(stock=9)
    paid = _buy(simulator, user, mug)
    unpaid = _order(mug, user=user)
    payment.start(unpaid)
    cancellation.cancel_unpaid(unpaid, by=user)
    guest_order = _order(mug, user=None, email=SECOND_EMAIL)
    cancellation.cancel_unpaid(guest_order, by=None)
    canary = Canary(user, paid, unpaid, guest_order)
    _speak(canary, mug)
    _let_staff_note(canary)
    with transaction.atomic():
        mailer.queue(
            kind="account.email.password_reset_key", reference="reset-1", recipient=EMAIL,
            subject=f"For {NAME}", text=f"Dear {NAME}", html=f"<p>Dear {NAME}</p>",
        )  # fmt: skip
    deliver_outbox()
    OutboxMessage.objects.filter(key=f"mail:{Mail.objects.latest('pk').pk}").update(
        error=f"550 no such mailbox: {EMAIL}"
    )
    Mail.objects.filter(reference="reset-1").update(error=f"550 {EMAIL}")
    _draft_as_a_guest()
    return canary


def _sign_in(user: User) -> None:
    Authenticator.objects.create(
        user=user, type=Authenticator.Type.WEBAUTHN, data={"name": "Canary's phone"}
    )
    account = SocialAccount.objects.create(
        user=user, provider="google", uid="canary-uid", extra_data={"name": NAME}
    )
    SocialToken.objects.create(account=account, token="canary-token", token_secret="canary-secret")
    session = _new_session({"_auth_user_id": str(user.pk), "checkout": DRAFT})
    UserSession.objects.create(
        user=user, ip=IP, user_agent=AGENT, session_key=session.session_key, data={"at": CITY}
    )
    _new_session({"_auth_user_id": str(user.pk), "note": "canary, of a device that nobody listed"})
    DataCopy.objects.create(user=user, language="en", content=b"canary", ready_at=timezone.now())


def _draft_as_a_guest() -> None:
    _new_session({"checkout": DRAFT | {"email": EMAIL.title()}})
    _new_session({"checkout": {"email": "somebody.else@example.com"}})


def _new_session(content: dict[str, object]) -> SessionBase:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session.update(content)
    session.create()
    return session


def _order(mug: object, *, user: User | None, email: str = EMAIL) -> Order:
    order = place_order(mug, user=user)  # type: ignore[arg-type]
    Order.objects.filter(pk=order.pk).update(email=email)
    order.addresses.update(**ADDRESS)
    order.refresh_from_db()
    return order


def _buy(simulator: Simulator, user: User, mug: object) -> Order:
    """Pay with a card that the provider keeps, give a part back, and have the rest sent."""
    order = _order(mug, user=user)
    OrderAddress.objects.create(order=order, kind="billing", country="DE", **ADDRESS)
    payment.start(order)
    simulator.approve(session_of(order), saves_card=True)
    payment.check(order)
    order.refresh_from_db()
    refunding.refund(
        order, by=StaffFactory(), lines={}, with_shipping=True, restock=False,
        reason="Canary complained", submit_key="form-1",
    )  # fmt: skip
    deliver_outbox()
    part = order.seller_orders.get()
    parcel = fulfilment.ship(part, carrier="DHL", tracking_number="CANARY-JD14", by=None)
    parcel.tracking_url = "https://example.com/canary"
    parcel.save()
    deliver_outbox()
    attempt = attempt_of(order)
    PaymentAttempt.objects.filter(pk=attempt.pk).update(failure="canary declined at first")
    attempt.captures.create(
        key="c", amount=1, currency="EUR", status="failed", failure="no canary",
        closed_at=timezone.now(),
    )  # fmt: skip
    attempt.refunds.update(failure="canary's bank")
    for number, paying in ((1, attempt), (2, None)):
        ProviderEvent.objects.create(
            provider="stripe", event_id=f"evt_{number}", type="charge.updated", attempt=paying,
            payload={"email": EMAIL, "name": NAME}, processed_at=timezone.now(), outcome="done",
        )  # fmt: skip
    ReconciliationBreak.objects.create(
        provider="stripe", subject="charge", provider_id="ch_1", kind="differs", attempt=attempt,
        finding="1 cent", happened_at=timezone.now(), last_seen_at=timezone.now(),
        status="accepted", note="Canary paid in Swiss francs", closed_at=timezone.now(),
    )  # fmt: skip
    with transaction.atomic():
        timeline.note(order, "note", f"{NAME} called")
        LedgerTransaction.objects.create(
            kind="placement", key="by-hand", order=order, currency="EUR", reason="as Canary asked"
        )
    order.refresh_from_db()
    return order


def _speak(canary: Canary, mug: object) -> None:
    user = canary.user
    review = ReviewFactory(
        product=mug.product, author=user, email=EMAIL, name="Canaria Q.",  # type: ignore[attr-defined]
        title="Canary's mug", text="My canary drinks of it.",
        answer="Thank you, Canaria", refusal="not for canaries",
    )  # fmt: skip
    original = "originals/0123456789abcdef01234567.jpg"
    asset = ImageAsset.objects.create(
        original=original, checksum="ca" * 32, base="images/5eed0123", width=8, height=8,
        renditions={"jpeg": [8], "avif": [8], "webp": [8]},
        ready_at=timezone.now(),
    )  # fmt: skip
    canary.files += [original, "images/5eed0123-8.jpg"]
    for name in canary.files:
        asset.original.storage.save(name, ContentFile(b"a picture of a canary"))
    asset.original.storage.save("images/5eed01234-8.jpg", ContentFile(b"another picture"))
    ReviewPhoto.objects.create(review=review, asset=asset)
    other = ReviewFactory()
    HelpfulVote.objects.create(review=other, user=user)
    Review.objects.filter(pk=other.pk).update(helpful_count=1)
    wishlist = Wishlist.objects.create(owner=user, name="Canary's list", share_key="canary-key")
    WishlistItem.objects.create(wishlist=wishlist, variant=mug)  # type: ignore[misc]
    RestockRequest.objects.create(variant=mug, email=SECOND_EMAIL, language="en")  # type: ignore[misc]
    Purchase.objects.update_or_create(
        product=mug.product, order_number=canary.paid.number,  # type: ignore[attr-defined]
        defaults={"user": user, "email": EMAIL, "bought_at": timezone.now()},
    )  # fmt: skip
    for words in ("canary ada example com", "canaria quill"):
        SearchRecord.objects.create(day=timezone.now().date(), words=words, searches=1)
    Cart.objects.filter(user=user).delete()
    cart = Cart.objects.create(user=user)
    cart.items.create(variant=mug, quantity=1, seen_price=mug.price)  # type: ignore[attr-defined]


def _let_staff_note(canary: Canary) -> None:
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=StaffFactory(), content_type=kind, object_id=str(canary.user.pk), object_repr=EMAIL,
        action_flag=CHANGE, change_message=f"Changed the name to {NAME}",
    )  # fmt: skip
    LogEntry.objects.create(
        user=StaffFactory(), object_repr="order", action_flag=CHANGE,
        change_message=f"{NAME} called",
    )  # fmt: skip
    # What they did themselves, while they worked here.
    LogEntry.objects.create(user=canary.user, object_repr="a mug", action_flag=CHANGE)
    OrderRefund.objects.filter(order=canary.paid).update(actor=canary.user)


def dump() -> dict[str, list[str]]:
    """Return every row of every table as text; sessions as what they say."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = sorted(name for (name,) in cursor.fetchall())
        rows = {}
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            rows[table] = [text for (text,) in cursor.fetchall()]
    rows["django_session"] = [str(row.get_decoded()) for row in Session.objects.all()]
    return rows


def find_marks() -> dict[str, list[str]]:
    """Return the rows that tell of the canary, by table."""
    found = {
        table: [row for row in rows if any(mark in row.lower() for mark in MARKS)]
        for table, rows in dump().items()
    }
    return {table: rows for table, rows in found.items() if rows}


def let_time_pass(order: Order, **ago: float) -> None:
    past = timezone.now() - timedelta(**ago)
    Order.objects.filter(pk=order.pk).update(created_at=past, closed_at=past)
