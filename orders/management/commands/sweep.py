from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from orders.services import expiry


class Command(BaseCommand):
    help = (
        "Ask the payment provider about every open payment, then expire unpaid orders whose time "
        "is over and release their stock. Beat, or the relay without a broker, does this each "
        "minute; running it by hand at any time is safe."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        expired = expiry.sweep()
        self.stdout.write(self.style.SUCCESS(f"Swept; {expired} unpaid orders expired."))
