"""The pages' entry: one WSGI application, served by granian."""

import os
from contextlib import suppress

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connection

from config import postgres
from shop.page_cache.wsgi import keep_pages


def limit_statements() -> None:
    """Let the database end what no visitor waits for; commands and workers are not limited.

    Behind a pooler the database role carries the limit, as docs/operations.md says.
    """
    options = settings.DATABASES["default"]["OPTIONS"]
    if "options" in options:
        options["options"] += f" -c statement_timeout={settings.WEB_STATEMENT_TIMEOUT_MS}"


def read_catalogue() -> None:
    """Build the catalogue index before the first visitor needs it.

    A database that is away, or not migrated yet, does not keep the process from starting.
    """
    from catalog import index

    with suppress(DatabaseError):
        index.current()
    connection.close()


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
postgres.ensure_started()
limit_statements()
application = keep_pages(get_wsgi_application())
read_catalogue()
