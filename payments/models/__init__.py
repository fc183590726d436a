from payments.models.attempt import PaymentAttempt
from payments.models.provider_event import ProviderEvent
from payments.models.refund import Refund
from payments.models.transaction import PaymentTransaction

__all__ = ["PaymentAttempt", "PaymentTransaction", "ProviderEvent", "Refund"]
