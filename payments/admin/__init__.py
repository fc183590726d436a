from payments.admin import attempt, dispute, provider_event, reconciliation_break, refund

__all__ = ["attempt", "dispute", "provider_event", "reconciliation_break", "refund"]
