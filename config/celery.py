"""The Celery application, and the only list of periodic jobs."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import (
    after_setup_logger,
    after_setup_task_logger,
    beat_init,
    celeryd_init,
)
from kombu import Queue

from config import postgres
from shop.scrubbing import scrub_handlers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("emporium")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_time_limit=120,
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=20,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 600, "socket_timeout": 5},
    # A worker takes from both in turn unless told otherwise: no mail waits behind all the pictures.
    task_queues=(Queue("celery"), Queue("slow")),
    task_default_queue="celery",
    task_routes={
        "catalog.make_renditions": {"queue": "slow"},
        "catalog.fetch_pictures": {"queue": "slow"},
        "catalog.import_products": {"queue": "slow"},
    },
)
app.autodiscover_tasks()

app.conf.beat_schedule = {
    # What nobody took for a minute is forgotten: the next one does the same.
    "sweep unpaid orders": {
        "task": "orders.sweep",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "list the events that did not arrive": {"task": "payments.list_events", "schedule": 3600.0},
    # Yesterday is planned once, however often it is asked for; so the hour after midnight is enough.
    "reconcile yesterday": {"task": "payments.plan_reconciliation", "schedule": 3600.0},
    "watch declined payments": {"task": "payments.watch_declines", "schedule": 300.0},
    "count the best sellers": {"task": "orders.count_best_sellers", "schedule": 3600.0},
    "count what is bought together": {
        "task": "orders.count_bought_together",
        "schedule": 21_600.0,
    },
    "turn collections over": {"task": "catalog.turn_collections", "schedule": 3600.0},
    "tell of what is back in stock": {"task": "catalog.sweep_restock", "schedule": 1800.0},
    "prune the wishlists of guests": {"task": "catalog.prune_wishlists", "schedule": 86_400.0},
    "prune former prices": {"task": "catalog.prune_prices", "schedule": 86_400.0},
    "clear finished outbox": {"task": "shop.clear_outbox", "schedule": 3600.0},
    "prune the journal of changes": {"task": "shop.prune_changes", "schedule": 600.0},
    "tell sellers what runs low": {"task": "catalog.tell_low_stock", "schedule": 300.0},
    "count the words of the catalogue": {"task": "catalog.count_words", "schedule": 7200.0},
    "prune the record of searches": {"task": "catalog.prune_searches", "schedule": 86_400.0},
    "forget old imports": {"task": "catalog.prune_imports", "schedule": 86_400.0},
    "forget tries that have run out": {"task": "shop.sweep_limits", "schedule": 600.0},
    "forget old carts": {"task": "cart.forget_old", "schedule": 86_400.0},
    "forget what providers told": {"task": "payments.forget_old", "schedule": 86_400.0},
    "forget people of old orders": {"task": "orders.forget_old", "schedule": 86_400.0},
    "forget old mails, sign-ins and copies": {"task": "accounts.forget_old", "schedule": 86_400.0},
    "clear old sessions": {"task": "shop.clear_sessions", "schedule": 86_400.0},
}


@after_setup_logger.connect
@after_setup_task_logger.connect
def hide_secrets(logger: Any, **_: Any) -> None:
    """Celery writes its log with handlers of its own."""
    scrub_handlers(logger)


@celeryd_init.connect
@beat_init.connect
def start_database(**_: Any) -> None:
    """A worker or beat started by hand finds the same database as `make run`."""
    postgres.ensure_started()
