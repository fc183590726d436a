from payments.admin import attempt, provider_event, refund

__all__ = ["attempt", "provider_event", "refund"]
