"""Fills the database of a shop that a test starts from nothing: one mug to buy, and where to send it.

Run as a program, since its database is not the one of the tests.
"""

from __future__ import annotations

import django


def main() -> None:
    django.setup()
    from django.core.management import call_command
    from django.db import transaction

    from catalog.services import publishing
    from tests.factories.catalog import BuyableProductFactory
    from tests.factories.orders import make_delivery

    call_command("migrate", interactive=False, verbosity=0)
    make_delivery()
    mug = BuyableProductFactory(slug="dune-mug", title="Dune mug", variant__stock=5)
    with transaction.atomic():
        publishing.finish(mug)


if __name__ == "__main__":
    main()
