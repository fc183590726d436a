"""PayPal's books: its report of transactions, its disputes, and its list of events.

The report lags behind by up to three hours and takes at most 31 days a call; a payment, a refund or
a dispute that is asked for by its number is told as it is now. A failure here has a breaker of its
own: that a report is slow says nothing about paying.

Sources: PayPal's API reference (Transaction Search v1, Disputes v1, Webhooks v1), "Transaction
event codes", "Disputes lifecycle stages" (in an inquiry the money stays with the shop).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from django.utils.dateparse import parse_datetime

from payments.errors import ForgedEvent, ProviderUnavailable, UnknownAtProvider
from payments.gateways import get_gateway
from payments.gateways.base import VerifiedEvent
from payments.gateways.books import (
    DisputeMovement,
    DisputeState,
    EventPage,
    ProviderCharge,
    ProviderDispute,
    ProviderRefund,
)
from payments.gateways.paypal import TAKEN, PayPalGateway
from payments.gateways.paypal_amounts import from_paypal
from payments.gateways.paypal_client import Document
from payments.gateways.paypal_documents import (
    capture_of,
    capture_path,
    custom_id_of,
    id_of,
    link_of,
    list_in,
    member,
    order_of,
    refund_path,
    result_of,
    word,
)
from payments.gateways.paypal_events import RELEVANT_TYPES, event_of
from shop.clock import now
from shop.money import Money, total

logger = logging.getLogger(__name__)

REPORT, DISPUTES = "/v1/reporting/transactions", "/v1/customer/disputes"
EVENTS = "/v1/notifications/webhooks-events"
BREAKER = "paypal-books"
LAG = timedelta(hours=3)
SLACK = timedelta(minutes=5)
LONGEST_REPORT = timedelta(days=30)
"""A day less than PayPal takes."""
A_SECOND = timedelta(seconds=1)
OLDEST_DISPUTE = timedelta(days=179)
"""PayPal lists disputes of 180 days."""
SETTLING_TAKES = timedelta(days=1)
PAGE, PAGE_OF_DISPUTES, PAGE_OF_EVENTS = 500, 50, 100
READ_SECONDS = 25.0
PAYMENT = "T00"
REVERSED, REFUNDED = "T1106", "T1107"
DONE = frozenset({"S", "V"})
"""Successful, and successful but all of it given back since."""
INQUIRY = "INQUIRY"
OUTCOMES = {
    "RESOLVED_BUYER_FAVOUR": DisputeState.LOST,
    "ACCEPTED": DisputeState.LOST,
    "RESOLVED_SELLER_FAVOUR": DisputeState.WON,
    "DENIED": DisputeState.WON,
    # PayPal paid the shopper out of its own pocket.
    "RESOLVED_WITH_PAYOUT": DisputeState.WON,
    "CANCELED_BY_BUYER": DisputeState.CLOSED,
    "NONE": DisputeState.CLOSED,
}
STATES = {
    "OPEN": DisputeState.NEEDS_RESPONSE,
    "WAITING_FOR_SELLER_RESPONSE": DisputeState.NEEDS_RESPONSE,
}
TAKES_MONEY = frozenset({DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW, DisputeState.LOST})
SETTLEMENT = "DISPUTE_SETTLEMENT"


class PayPalBooks:
    lag = LAG

    def __init__(self) -> None:
        self._gateway = cast(PayPalGateway, get_gateway("paypal"))

    def fetch_charge(self, charge_id: str) -> ProviderCharge | None:
        capture = self._get(capture_path(charge_id), doing="reading a charge")
        if capture.get("status") not in TAKEN:
            return None
        return ProviderCharge(
            charge_id=id_of(capture),
            payment_id=id_of(capture),
            reference=word(capture, "custom_id"),
            captured=from_paypal(capture["amount"]),
            created_at=_moment(capture, "create_time"),
        )

    def fetch_refund(self, refund_id: str) -> ProviderRefund:
        refund = self._get(refund_path(refund_id), doing="reading a refund")
        return self._refund_of(refund, capture_of(refund))

    def fetch_dispute(self, dispute_id: str) -> ProviderDispute:
        return self._dispute_of(self._read_dispute(dispute_id))

    def find_session(self, payment_id: str) -> str:
        try:
            capture = self._get(capture_path(payment_id), doing="looking for a payment's page")
        except UnknownAtProvider:
            return ""
        return order_of(capture)

    def list_refunds_of(self, payment_id: str) -> list[ProviderRefund]:
        refunds = self._gateway.list_refunds(payment_id)
        return [self._refund_of(refund, payment_id) for refund in refunds]

    def list_charges(self, since: datetime, until: datetime) -> Iterator[list[ProviderCharge]]:
        """List the payments received: whoever asked for them, wherever the shopper paid."""
        for page in self._report(since, until):
            yield [_charge_of(each) for each in page if _is_payment(each)]

    def list_refunds(self, since: datetime, until: datetime) -> Iterator[list[ProviderRefund]]:
        """List refunds and reversals; each is read by its number, which tells more than the report."""
        for page in self._report(since, until):
            yield [
                self._reported_refund(each)
                for each in page
                if each.get("transaction_event_code") in (REVERSED, REFUNDED)
            ]

    def list_disputes(self, since: datetime, until: datetime) -> Iterator[list[ProviderDispute]]:
        """List the disputes opened, as far back as PayPal tells; each is read by its number."""
        begins_at = max(since, now() - OLDEST_DISPUTE)
        if begins_at >= until:
            return
        query = {
            "create_time_after": _written(begins_at),
            "create_time_before": _written(until + A_SECOND),
            "page_size": str(PAGE_OF_DISPUTES),
        }
        while query:
            found = self._get(DISPUTES, query=query, doing="listing disputes")
            listed = list_in(found, "items")
            yield [
                self.fetch_dispute(_id_of_dispute(each))
                for each in listed
                if begins_at <= _moment(each, "create_time") < until
            ]
            query = _query_of_next(found)

    def list_undelivered_events(self, since: datetime, *, after: str = "") -> EventPage:
        query = dict(parse_qsl(after)) or {
            "start_time": _written(since),
            "end_time": _written(now()),
            "page_size": str(PAGE_OF_EVENTS),
        }
        found = self._get(EVENTS, query=query, doing="listing events")
        read = (_listed_event_of(each) for each in list_in(found, "events"))
        return EventPage(
            events=tuple(event for event in read if event is not None),
            after=urlencode(_query_of_next(found)),
        )

    def _read_dispute(self, dispute_id: str) -> Document:
        path = f"{DISPUTES}/{quote(dispute_id, safe='')}"
        return self._get(path, doing="reading a dispute")

    def _get(self, path: str, *, doing: str, query: dict[str, str] | None = None) -> Document:
        return self._gateway._client.get(
            path, query=query, doing=doing, read_seconds=READ_SECONDS, breaker=BREAKER
        )

    def _report(self, since: datetime, until: datetime) -> Iterator[list[Document]]:
        """Read the report from `since` up to `until`, page by page.

        Raises `ProviderUnavailable` where PayPal is further behind than it says: ask again later.
        """
        ends_at = min(until, now())
        while since < ends_at:
            part_ends_at = min(since + LONGEST_REPORT, ends_at)
            number = pages = 1
            while number <= pages:
                query = {
                    "start_date": _written(since),
                    "end_date": _written(part_ends_at + A_SECOND),
                    "fields": "transaction_info",
                    "page_size": str(PAGE),
                    "page": str(number),
                }
                found = self._get(REPORT, query=query, doing="reading the report of transactions")
                _check_freshness(found, part_ends_at)
                yield [
                    entry
                    for each in list_in(found, "transaction_details")
                    if (entry := member(each, "transaction_info"))
                    and since <= _moment(entry, "transaction_initiation_date") < part_ends_at
                ]
                pages = int(found.get("total_pages") or 1)
                number += 1
            since = part_ends_at

    def _reported_refund(self, entry: Document) -> ProviderRefund:
        """Read a refund of the report; a reversal that has no page of its own is told as it stands."""
        try:
            return self.fetch_refund(word(entry, "transaction_id"))
        except UnknownAtProvider:
            settled = {"S": "COMPLETED", "V": "COMPLETED", "P": "PENDING"}
            refund = {
                "id": word(entry, "transaction_id"),
                "status": settled.get(word(entry, "transaction_status"), "FAILED"),
                "amount": _positive(entry["transaction_amount"]),
                "custom_id": word(entry, "custom_field"),
                "create_time": word(entry, "transaction_initiation_date"),
            }
            return self._refund_of(refund, word(entry, "paypal_reference_id"))

    def _refund_of(self, refund: Document, capture_id: str) -> ProviderRefund:
        key = _key_of(refund)
        made_at = _moment(refund, "create_time")
        amount = from_paypal(_positive(refund["amount"]))
        return ProviderRefund(
            refund_id=id_of(refund),
            charge_id=capture_id,
            payment_id=capture_id,
            reference=(key or word(refund, "custom_id")).partition(":")[0],
            key=key,
            amount=amount,
            reason=word(refund, "note_to_payer"),
            result=result_of(refund),
            created_at=made_at,
            dispute_id="" if key else self._find_dispute_behind(capture_id, amount, made_at),
        )

    def _find_dispute_behind(self, capture_id: str, amount: Money, made_at: datetime) -> str:
        """Return the dispute because of which this money went back, or nothing.

        PayPal writes what it takes for a dispute as a refund of the capture, too, and names neither
        in the other; what goes back while a claim stands, or as it is lost, is the claim's.
        """
        if not capture_id:
            return ""
        query = {"disputed_transaction_id": capture_id, "page_size": str(PAGE_OF_DISPUTES)}
        found = self._get(DISPUTES, query=query, doing="looking for a dispute")
        for each in list_in(found, "items"):
            disputed = from_paypal(each["dispute_amount"])
            is_too_much = amount.currency == disputed.currency and disputed < amount
            if is_too_much or not _moment(each, "create_time") <= made_at <= _last_moment_of(each):
                continue
            # How it ended is not in the list.
            whole = self._read_dispute(_id_of_dispute(each)) if _is_over(each) else each
            if _state_of(whole) in TAKES_MONEY:
                return _id_of_dispute(each)
        return ""

    def _dispute_of(self, dispute: Document) -> ProviderDispute:
        disputed = next(iter(list_in(dispute, "disputed_transactions")), {})
        capture_id = word(disputed, "seller_transaction_id")
        dispute_id = _id_of_dispute(dispute)
        amount = from_paypal(dispute["dispute_amount"])
        taken = _settlements_of(dispute, "DEBIT", amount)
        if capture_id and _state_of(dispute) in TAKES_MONEY:
            taken = _add_untold(taken, self._list_reversals(capture_id, dispute_id), amount)
        returned = _settlements_of(dispute, "CREDIT", amount)
        return ProviderDispute(
            dispute_id=dispute_id,
            charge_id=capture_id,
            payment_id=capture_id,
            reference=word(disputed, "custom"),
            amount=amount,
            reason=word(dispute, "reason").lower(),
            state=_state_of(dispute),
            due_by=_due_date_of(dispute),
            created_at=_moment(dispute, "create_time"),
            movements=_movements_of(dispute_id, taken, returned, amount.currency),
        )

    def _list_reversals(self, capture_id: str, dispute_id: str) -> list[Money]:
        """Return what went back for a dispute as a refund of its payment."""
        try:
            refunds = self.list_refunds_of(capture_id)
        except UnknownAtProvider:
            return []
        return [
            each.amount
            for each in refunds
            if each.dispute_id == dispute_id and each.result.is_settled
        ]


# What PayPal writes, read -------------------------------------------------------------------------


def _charge_of(entry: Document) -> ProviderCharge:
    fee = entry.get("fee_amount")
    return ProviderCharge(
        charge_id=word(entry, "transaction_id"),
        payment_id=word(entry, "transaction_id"),
        reference=word(entry, "custom_field"),
        captured=from_paypal(entry["transaction_amount"]),
        created_at=_moment(entry, "transaction_initiation_date"),
        fee=from_paypal(_positive(fee)) if fee else None,
    )


def _is_payment(entry: Document) -> bool:
    """Say whether money of a shopper came in: what we paid ourselves is below zero."""
    return (
        word(entry, "transaction_event_code").startswith(PAYMENT)
        and entry.get("transaction_status") in DONE
        and from_paypal(entry["transaction_amount"]).amount > 0
    )


def _key_of(refund: Document) -> str:
    """Return our key. A refund from PayPal's pages has the invoice of its capture, or none."""
    invoice = word(refund, "invoice_id")
    is_ours = ":" in invoice and word(refund, "custom_id") == custom_id_of(invoice)
    return invoice if is_ours else ""


def _id_of_dispute(dispute: Document) -> str:
    found = word(dispute, "dispute_id")
    if not found:
        raise ProviderUnavailable("PayPal's dispute has no number")
    return found


def _is_over(dispute: Document) -> bool:
    return dispute.get("status") == "RESOLVED"


def _state_of(dispute: Document) -> DisputeState:
    """Read how a dispute stands; what we cannot read waits for PayPal's next word."""
    if _is_over(dispute):
        outcome = word(member(dispute, "dispute_outcome"), "outcome_code")
        return OUTCOMES.get(outcome, DisputeState.UNDER_REVIEW)
    if dispute.get("dispute_life_cycle_stage") == INQUIRY:
        return DisputeState.INQUIRY
    return STATES.get(word(dispute, "status"), DisputeState.UNDER_REVIEW)


def _settlements_of(dispute: Document, direction: str, disputed: Money) -> list[Money]:
    """Return what a dispute took from us or gave back, without PayPal's fees, oldest first.

    What was settled in another currency moved the disputed amount.
    """
    moved = [
        each
        for each in list_in(dispute, "money_movements")
        if each.get("affected_party") == "SELLER"
        and each.get("type") == direction
        and each.get("reason") == SETTLEMENT
    ]
    moved.sort(key=lambda each: word(each, "initiated_time"))
    amounts = (from_paypal(_positive(each["amount"])) for each in moved)
    return [each if each.currency == disputed.currency else disputed for each in amounts]


def _add_untold(told: list[Money], reversals: list[Money], disputed: Money) -> list[Money]:
    """Add to what a dispute tells those reversals that are not among it, up to what is disputed."""
    taken, known = list(told), Counter(told)
    for each in reversals:
        if known[each]:
            known[each] -= 1
        elif total(taken, disputed.currency) + each <= disputed:
            taken.append(each)
    return taken


def _movements_of(
    dispute_id: str, taken: list[Money], returned: list[Money], currency: str
) -> tuple[DisputeMovement, ...]:
    """Name the movements, which have no number at PayPal, by their amount, and count equal ones.

    No more comes back than was taken: the rest is PayPal's own gift or a hold that ended.
    """
    left = total(taken, currency)
    back = []
    for money in returned:
        if money <= left:
            left -= money
            back.append(money)
    return tuple(
        DisputeMovement(
            f"{dispute_id}:{way}:{money.amount.normalize():f}:{amounts[:at].count(money) + 1}",
            is_withdrawal=way == "taken",
            amount=money,
        )
        for way, amounts in (("taken", taken), ("returned", back))
        for at, money in enumerate(amounts)
    )


def _due_date_of(dispute: Document) -> datetime | None:
    has_date = bool(word(dispute, "seller_response_due_date"))
    return _moment(dispute, "seller_response_due_date") if has_date else None


def _last_moment_of(dispute: Document) -> datetime:
    """Return until when money may leave because of a dispute: some time after it was lost."""
    if not _is_over(dispute):
        return now() + SETTLING_TAKES
    return _moment(dispute, "update_time") + SETTLING_TAKES


def _check_freshness(report: Document, ends_at: datetime) -> None:
    if not word(report, "last_refreshed_datetime"):
        return
    latest = min(ends_at, now() - LAG) - SLACK
    if _moment(report, "last_refreshed_datetime") < latest:
        raise ProviderUnavailable("PayPal's report is further behind than three hours")


def _listed_event_of(event: Document) -> VerifiedEvent | None:
    if event.get("event_type") not in RELEVANT_TYPES:
        return None
    try:
        return event_of(event)
    except ForgedEvent as error:
        logger.warning("PayPal lists an event that cannot be read: %s", error)
        return None


def _query_of_next(page: Document) -> dict[str, str]:
    """Return what asks for the next page; from its address only that is taken."""
    return dict(parse_qsl(urlsplit(link_of(page, "next")).query))


def _positive(amount: Any) -> dict[str, str]:
    """Turn an amount as reports write what leaves, with a sign, into the amount that left."""
    return {
        "currency_code": str(amount["currency_code"]),
        "value": str(amount["value"]).removeprefix("-"),
    }


def _moment(document: Document, name: str) -> datetime:
    """Read a time; one without a zone is UTC. Raises `ProviderUnavailable` for none."""
    try:
        moment = parse_datetime(word(document, name))
    except ValueError:
        moment = None
    if moment is None:
        raise ProviderUnavailable(f"PayPal does not say when: {name}")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
