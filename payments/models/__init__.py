from payments.models.attempt import PaymentAttempt
from payments.models.offline_movement import OfflineMovement
from payments.models.provider_event import ProviderEvent
from payments.models.refund import Refund
from payments.models.transaction import PaymentTransaction

__all__ = [
    "OfflineMovement",
    "PaymentAttempt",
    "PaymentTransaction",
    "ProviderEvent",
    "Refund",
]
