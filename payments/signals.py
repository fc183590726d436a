"""News that payments send up, inside the transaction that makes them true.

Each carries `attempt`, a locked `PaymentAttempt`. A receiver that raises rolls everything back.
"""

from django.dispatch import Signal

attempt_authorised = Signal()
"""The attempt's whole amount was set aside for the shop, maybe late; nothing is taken yet."""

attempt_captured = Signal()
"""The attempt's whole amount was paid, maybe late; or what was asked for of an authorised one."""

capture_failed = Signal()
"""Money that was set aside could not be taken; carries `capture` too."""

attempt_closed = Signal()
"""The provider's final word is that the attempt will not be paid."""

attempt_held = Signal()
"""The provider took an amount or currency that differs from what was asked for."""

refund_settled = Signal()
"""A refund went through; carries `refund` too."""

refund_failed = Signal()
"""A refund failed, at once or after it had gone through; carries `refund` too."""

dispute_opened = Signal()
"""A shopper's bank asks for the money back; carries `dispute`."""

dispute_moved = Signal()
"""Money was withdrawn because of a dispute, or came back; carries `dispute` and `transaction`."""

dispute_closed = Signal()
"""A dispute was decided or given up, maybe decided anew; carries `dispute`."""
