"""What the tables of this app know of people. Attempts are found through the orders they pay."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.privacy import CONTRACT, INTEREST, LAW, Erasure, declare

PAYMENTS = _("That and how orders were paid, and their numbers at the payment provider")
AT_THE_PROVIDER = _("How our payment provider knows you, with your saved cards")
MESSAGES = _("What payment providers told us about you, word for word")

declare(
    "payments.Customer",
    "user email key provider_id",
    title=AT_THE_PROVIDER,
    purpose="So that the provider can keep cards; the shop keeps none",
    kept="Until erased",
    ground=CONTRACT,
    section="customers",
    erasure=Erasure.DELETED,
    remark="the provider is asked to delete the customer, too",
    rest="provider",
)
declare(
    "payments.PaymentAttempt",
    "customer provider_session_id provider_payment_id redirect_url failure",
    title=PAYMENTS,
    purpose="To be paid, once",
    kept="As long as the books; `redirect_url` and `failure` until the order is forgotten",
    ground=LAW,
    section="orders",
    erasure=Erasure.KEPT,
    remark="amounts, dates and the provider's numbers stay; customer, page and failure go",
    rest="reference provider currency",
)
declare(
    "payments.ProviderEvent",
    "payload attempt",
    title=MESSAGES,
    purpose="To work on what a provider tells, once",
    kept="`RETENTION_PROVIDER_DAYS`",
    ground=INTEREST,
    section="provider-messages",
    erasure=Erasure.EMPTIED,
    remark="that it came, and what came of it, stays",
    rest="provider event_id type outcome",
)
declare(
    "payments.Refund",
    "attempt reason failure",
    title=PAYMENTS,
    purpose="To give money back, once",
    kept="As long as the books; reasons until the order is forgotten",
    ground=LAW,
    section="orders",
    erasure=Erasure.KEPT,
    remark="amounts, dates and numbers stay; reasons go",
    rest="key provider_id currency",
)
declare(
    "payments.Capture",
    "attempt failure",
    title=PAYMENTS,
    purpose="To take money that was set aside, once",
    kept="As long as the books",
    ground=LAW,
    section="orders",
    erasure=Erasure.KEPT,
    remark="amounts and dates stay; failures go",
    rest="key currency",
)
declare(
    "payments.Dispute",
    "attempt reason",
    title=PAYMENTS,
    purpose="What a shopper's bank asks back",
    kept="As long as the books",
    ground=LAW,
    section="orders",
    erasure=Erasure.KEPT,
    remark="the reason is a code of the provider's, and stays",
    rest="provider provider_id currency",
)
declare(
    "payments.PaymentTransaction",
    "attempt provider_id",
    title=PAYMENTS,
    purpose="Money that moved",
    kept="As long as the books",
    ground=LAW,
    section="orders",
    erasure=Erasure.KEPT,
    remark="amounts, dates and the provider's numbers stay",
    rest="provider currency",
)
declare(
    "payments.OfflineMovement",
    "bank_reference recorded_by",
    title=PAYMENTS,
    purpose="Money that came or went without a provider",
    kept="As long as the books; the reference as long as the address on the order",
    ground=LAW,
    section="orders",
    erasure=Erasure.KEPT,
    remark="it is a voucher of the books, with the bank's reference; who wrote it down goes",
    rest="key currency",
)
declare(
    "payments.ReconciliationBreak",
    "attempt note closed_by",
    title=PAYMENTS,
    purpose="Where the provider's books differ from ours",
    kept="As long as the books",
    ground=LAW,
    erasure=Erasure.KEPT,
    remark="amounts stay, notes go. Not in the copy: it is about the shop's books",
    rest="provider provider_id ours_currency theirs_currency finding",
)
