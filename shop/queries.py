"""Reads of the ground floor: tax rates, content pages, the state of database and outbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import psycopg
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse
from django.utils.translation import get_language

from shop.clock import now
from shop.models import FormerAddress, Page
from shop.remembered import until_changed
from shop.tax import Rate


def list_footer_pages() -> list[tuple[str, str]]:
    """List title and address of the footer's pages."""
    return list(_address(_read_footer_rows(), get_language()))


@until_changed("pages")
def _read_footer_rows() -> tuple[tuple[str, str], ...]:
    return tuple(Page.objects.filter(is_in_footer=True).values_list("title", "slug"))


@lru_cache(maxsize=16)
def _address(
    rows: tuple[tuple[str, str], ...], language: str | None
) -> tuple[tuple[str, str], ...]:
    """Spell out the addresses once; the language decides how they begin."""
    return tuple((title, reverse("shop:page", args=[slug])) for title, slug in rows)


def find_moved_page(slug: str) -> str | None:
    """Return the slug of the content page that had this one before."""
    former = FormerAddress.objects.filter(kind=FormerAddress.Kind.PAGE, path=slug)
    return (
        Page.objects.filter(pk__in=former.values("target_id"))
        .values_list("slug", flat=True)
        .first()
    )


def get_mail_frame() -> dict[str, str]:
    """Return what the frame of every mail says about the shop."""
    return {
        "shop_name": settings.SHOP_NAME,
        "shop_email": settings.SHOP_EMAIL,
        "shop_address": settings.SHOP_ADDRESS,
        "shop_url": settings.SHOP_URL,
    }


def get_tax_rates(*, country: str, region: str = "") -> Mapping[int, Rate]:
    """Return the rate of each tax class, by its id, for goods that go to a place.

    A rate for the region wins over the country's. A class without a row is not taxed there.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tax_class_id, name, percent FROM shop_taxrate "
            "WHERE country = %(country)s AND region IN ('', %(region)s) ORDER BY region",
            {"country": country, "region": region},
        )
        return {tax_class: Rate(name, percent) for tax_class, name, percent in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """`version` as PostgreSQL counts (180004 is 18.4), `skew` in seconds: how far we are ahead."""

    version: int
    skew: float


def ask_database(*, seconds: int) -> DatabaseState:
    """Ask the database, by a connection of its own, who it is and what time it has.

    Raises `psycopg.OperationalError` when it cannot be reached within some seconds.
    """
    parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context"):
        parameters.pop(name, None)
    parameters["connect_timeout"] = seconds
    with psycopg.connect(**parameters, autocommit=True) as database:
        asked_at = now()
        row = database.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        took = now() - asked_at
        return DatabaseState(
            version=database.info.server_version,
            skew=(asked_at + took / 2 - row[0]).total_seconds(),
        )


def count_unapplied_migrations() -> int:
    """Return how many migrations of this release the database has not seen yet."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@dataclass(frozen=True, slots=True)
class OutboxState:
    """`due` rows should be on their way by now, `dead` ones were given up, `relays` listen.

    Pictures are not counted as due: many at once take their time, and nobody waits for them.
    """

    due: int
    oldest_seconds: float
    dead: int
    relays: int


_OUTBOX_STATE = """
SELECT count(*) FILTER (WHERE dead_at IS NULL),
       coalesce(extract(epoch FROM clock_timestamp()
                - min(available_at) FILTER (WHERE dead_at IS NULL)), 0)::float,
       count(*) FILTER (WHERE dead_at IS NOT NULL),
       (SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND query = 'LISTEN outbox')
FROM shop_outboxmessage
WHERE done_at IS NULL
  AND (dead_at IS NOT NULL OR (available_at <= clock_timestamp() AND priority <= 5))
"""


def get_outbox_state() -> OutboxState:
    """Return how far the outbox is behind; a relay is known by its listening connection."""
    with connection.cursor() as cursor:
        cursor.execute(_OUTBOX_STATE)
        return OutboxState(*cursor.fetchone())
