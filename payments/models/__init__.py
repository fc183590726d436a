from payments.models.attempt import PaymentAttempt
from payments.models.capture import Capture
from payments.models.customer import Customer
from payments.models.dispute import Dispute
from payments.models.offline_movement import OfflineMovement
from payments.models.provider_event import ProviderEvent
from payments.models.reconciliation_break import ReconciliationBreak
from payments.models.refund import Refund
from payments.models.transaction import PaymentTransaction

__all__ = [
    "Capture",
    "Customer",
    "Dispute",
    "OfflineMovement",
    "PaymentAttempt",
    "PaymentTransaction",
    "ProviderEvent",
    "ReconciliationBreak",
    "Refund",
]
