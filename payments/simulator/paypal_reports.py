"""PayPal's report of transactions: what moved the balance, some hours late.

Sources: PayPal's API reference (Transaction Search v1), "Transaction event codes".
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from payments.simulator import paypal_disputes, paypal_orders, paypal_shapes
from payments.simulator.paypal_errors import PayPalRefusal
from payments.simulator.paypal_shapes import PAYER_ID, Document
from payments.simulator.provider import Provider
from payments.simulator.store import Condition

LONGEST_SECONDS = 31 * 24 * 60 * 60
USUAL_PAGE, LARGEST_PAGE = 100, 500
MOST = 100_000
FEE_SHARE, FEE_FIXED = Decimal("0.0249"), Decimal("0.35")
CAPTURE_STATES = {"PENDING": "P", "DECLINED": "D", "FAILED": "D", "REFUNDED": "V"}
PAYMENT, REVERSAL, REFUND = "T0006", "T1106", "T1107"
CHARGEBACK, CHARGEBACK_RETURNED = "T1201", "T1202"


def report(
    provider: Provider, *, since: float, until: float, page: int, page_size: int
) -> Document:
    """Return a page of what happened between two moments, the oldest first."""
    if until - since > LONGEST_SECONDS:
        raise PayPalRefusal(
            400, "INVALID_REQUEST", "Date range is greater than 31 days", field="end_date"
        )
    refreshed_at = provider.now() - provider.paypal_report_lag
    entries = _list_entries(provider, since, min(until, refreshed_at))
    first = (page - 1) * page_size
    shown = entries[first : first + page_size]
    return {
        "transaction_details": [{"transaction_info": each} for each in shown],
        "account_number": "SIMULATOR",
        "start_date": _moment(since),
        "end_date": _moment(until),
        "last_refreshed_datetime": _moment(refreshed_at),
        "page": page,
        "total_items": len(entries),
        "total_pages": max(1, -(-len(entries) // page_size)),
        "links": [paypal_shapes.link(f"{provider.public_url}/v1/reporting/transactions", "self")],
    }


def _list_entries(provider: Provider, since: float, until: float) -> list[Document]:
    between = [Condition("created", ">=", since), Condition("created", "<=", until)]

    def made(kind: str, conditions: list[Condition]) -> list[Document]:
        return provider.store.list_documents(kind, conditions, limit=MOST, oldest_first=True)

    moved = [
        (each["at"], _movement(dispute, each, number))
        for dispute in made(paypal_disputes.DISPUTE, [])
        for number, each in enumerate(dispute["movements"])
        if since <= each["at"] <= until and dispute["channel"] == "EXTERNAL"
    ]
    entries = [
        *((each["created"], _payment(each)) for each in made(paypal_orders.CAPTURE, between)),
        *((each["created"], _refund(each)) for each in made(paypal_orders.REFUND, between)),
        *moved,
    ]
    return [entry for _at, entry in sorted(entries, key=lambda each: each[0])]


def _payment(captured: Document) -> Document:
    amount = captured["amount"]
    share = Decimal(amount["value"]) * FEE_SHARE + FEE_FIXED
    fee = -share.quantize(Decimal("0.01"), ROUND_HALF_UP)
    written = _entry(
        captured, PAYMENT, captured["id"], amount["value"], captured["order_id"], "ODR"
    )
    written["transaction_status"] = CAPTURE_STATES.get(captured["status"], "S")
    return {**written, "fee_amount": paypal_shapes.money(fee, amount["currency_code"])}


def _refund(refund: Document) -> Document:
    code = REVERSAL if refund.get("is_reversal") else REFUND
    value = f"-{refund['amount']['value']}"
    written = _entry(refund, code, refund["id"], value, refund["capture_id"], "TXN")
    written["transaction_status"] = "D" if refund["status"] == "FAILED" else "S"
    return written


def _movement(dispute: Document, moved: Document, number: int) -> Document:
    is_debit = moved["type"] == "DEBIT"
    code = CHARGEBACK if is_debit else CHARGEBACK_RETURNED
    value = f"{'-' if is_debit else ''}{moved['amount']['value']}"
    own_id = f"{dispute['id'].replace('-', '')}{number}"[:24]
    at = {**dispute, "created": moved["at"], "updated": moved["at"]}
    return _entry(at, code, own_id, value, dispute["charge"], "TXN")


def _entry(
    kept: Document, code: str, own_id: str, value: str, reference_id: str, reference_type: str
) -> Document:
    written = {
        "paypal_account_id": PAYER_ID,
        "transaction_id": own_id,
        "paypal_reference_id": reference_id,
        "paypal_reference_id_type": reference_type,
        "transaction_event_code": code,
        "transaction_initiation_date": _moment(kept["created"]),
        "transaction_updated_date": _moment(kept["updated"]),
        "transaction_amount": {**kept["amount"], "value": value},
        "transaction_status": "S",
        "invoice_id": kept.get("invoice_id"),
        "custom_field": kept.get("custom_id"),
        "protection_eligibility": "01",
    }
    return {name: value for name, value in written.items() if value is not None}


def _moment(seconds: float) -> str:
    """Write a time as reports do, which is not as the rest of PayPal does."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
