"""The ground floor's checkups: settings, database, clock, cache, broker, outbox, mail, disk."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlsplit

from babel.numbers import list_currencies
from celery import current_app
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.cache import cache
from django.core.mail import get_connection
from django.utils.crypto import get_random_string
from django.utils.http import is_same_domain
from django.utils.timezone import localtime

from shop import clock, maintenance, queries
from shop.checkups import DATABASE, Finding, checkup, fault, ok, warning

PATIENCE_SECONDS = 2
SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
OLDEST_DATABASE = 140_000
GIGABYTE = 1024**3


@checkup("settings", cure="Compare the settings with .env.example.")
def look_at_settings() -> Finding:
    """Judge what the settings module cannot refuse: values that are possible but hardly meant."""
    doubts = []
    if settings.SHOP_CURRENCY not in list_currencies():
        doubts.append(f"SHOP_CURRENCY is {settings.SHOP_CURRENCY}, which is no ISO 4217 code")
    host = urlsplit(settings.SHOP_URL).hostname or ""
    if not any(
        is_same_domain(host, allowed) or allowed == "*" for allowed in settings.ALLOWED_HOSTS
    ):
        doubts.append(f"ALLOWED_HOSTS does not name {host}, the host of SHOP_URL")
    if settings.IS_PRODUCTION:
        if "*" in settings.ALLOWED_HOSTS:
            doubts.append("ALLOWED_HOSTS lets in every host name; list the shop's own")
        if settings.SHOP_EMAIL.endswith(".example"):
            doubts.append(f"SHOP_EMAIL is still {settings.SHOP_EMAIL}; give an address of yours")
    if doubts:
        return warning(f"{'; '.join(doubts)}.")
    if not settings.IS_PRODUCTION:
        return ok("Trial mode. EMPORIUM_MODE=production demands the real thing.")
    return ok(f"Production mode, {settings.SHOP_URL}.")


@checkup(
    DATABASE,
    cure="Start PostgreSQL or correct DATABASE_URL; unset, the shop uses a database of its own.",
    needs_database=True,
)
def look_at_database() -> Finding:
    version = queries.ask_database(seconds=PATIENCE_SECONDS).version
    said = f"PostgreSQL {version // 10_000}.{version % 10_000}"
    if version < OLDEST_DATABASE:
        return fault(f"{said} is too old. Move to PostgreSQL {OLDEST_DATABASE // 10_000} or newer.")
    if waiting := queries.count_unapplied_migrations():
        return fault(f"{said}; migrations not applied: {waiting}. Run `manage.py migrate`.")
    return ok(f"{said}, every migration is applied.")


@checkup("clock", cure="Let NTP set the clock of both machines.", needs_database=True)
def look_at_clock() -> Finding:
    """Compare this machine's clock with the database's: both decide when something expires."""
    skew = queries.ask_database(seconds=PATIENCE_SECONDS).skew
    if abs(skew) < 2:
        return ok("The same as the database's.")
    text = f"{abs(skew):.0f} seconds {'ahead of' if skew > 0 else 'behind'} the database's."
    cure = "Let NTP set the clock of both machines."
    return fault(f"{text} {cure}") if abs(skew) >= 30 else warning(f"{text} {cure}")


@checkup("cache", cure="Correct REDIS_URL, or unset it to use a local cache.")
def look_at_cache() -> Finding:
    if not settings.REDIS_URL:
        text = "In the memory of each process, which is enough for one web process."
        if not settings.IS_PRODUCTION:
            return ok(text)
        return warning(f"{text} Set REDIS_URL to share it.")
    key, value = f"doctor:{get_random_string(12)}", get_random_string(12)
    cache.set(key, value, 30)
    is_kept = cache.get(key) == value
    cache.delete(key)
    if not is_kept:
        return fault(
            f"Redis at {_host_of(settings.REDIS_URL)} does not answer. The shop sells on without "
            "it, but slower: start Redis or correct REDIS_URL."
        )
    return ok(f"Redis at {_host_of(settings.REDIS_URL)} keeps what it is given.")


@checkup("broker", cure="Start the broker or correct CELERY_BROKER_URL (REDIS_URL unless set).")
def look_at_broker() -> Finding:
    if not settings.CELERY_BROKER_URL:
        return ok("None: the relay runs the tasks itself.")
    where = _host_of(settings.CELERY_BROKER_URL)
    impatient = {"socket_connect_timeout": PATIENCE_SECONDS, "socket_timeout": PATIENCE_SECONDS}
    with current_app.connection_for_write(
        settings.CELERY_BROKER_URL, transport_options=impatient
    ) as broker:
        broker.connect()
        answers = current_app.control.inspect(timeout=1, connection=broker).ping() or {}
    if not answers:
        return warning(
            f"{where} answers, but no worker does: tasks wait. Start `celery -A config worker`."
        )
    noun = "worker answers" if len(answers) == 1 else "workers answer"
    return ok(f"{where} answers, and {len(answers)} {noun}.")


@checkup("relay", cure="Start `manage.py relay`.", needs_database=True)
def look_at_relay() -> Finding:
    outbox = queries.get_outbox_state()
    if outbox.oldest_seconds >= 60:
        return fault(
            f"{outbox.due} tasks are due, the oldest for {outbox.oldest_seconds:.0f} seconds. "
            "Start `manage.py relay`, or a worker if there is a broker."
        )
    if outbox.dead:
        return warning(
            f"{outbox.dead} tasks failed too often and were given up. The list of tasks in the "
            "admin says why; once that is mended, try them again there."
        )
    if not outbox.relays:
        return warning("No relay listens, so mails and payments wait. Start `manage.py relay`.")
    return ok(f"{outbox.relays} listening, nothing waits.")


@checkup("mail", cure="Correct EMAIL_URL, or ask whoever runs the mail server.")
def look_at_mail() -> Finding:
    """Connect and sign in to the mail server; nothing is sent."""
    if not settings.HAS_MAIL_SERVER:
        return ok("No server: mails are kept and shown at /mailbox/.")
    if settings.EMAIL_BACKEND != SMTP_BACKEND:
        text = f"Mails go to {settings.EMAIL_BACKEND}, which delivers nothing to people."
        return warning(f"{text} Set EMAIL_URL.") if settings.IS_PRODUCTION else ok(text)
    transport = get_connection(timeout=PATIENCE_SECONDS)
    transport.open()
    transport.close()
    signed_in = " and lets us sign in" if settings.EMAIL_HOST_USER else ""
    return ok(f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} answers{signed_in}.")


@checkup("static", cure="Run `manage.py collectstatic`.")
def look_at_static_files() -> Finding:
    if not settings.STATIC_HASHED:
        return ok("Served as they lie in the project.")
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if not manifest.exists():
        return fault(
            f"None are collected in {settings.STATIC_ROOT}. Run `manage.py collectstatic`."
        )
    collected_at = manifest.stat().st_mtime
    for finder in get_finders():
        for name, storage in finder.list([]):
            if not staticfiles_storage.exists(name):
                return fault(f"{name} is not collected. Run `manage.py collectstatic`.")
            if Path(storage.path(name)).stat().st_mtime > collected_at:
                return warning(f"{name} has changed since. Run `manage.py collectstatic`.")
    return ok("Collected, and as new as their sources.")


@checkup("disk", cure="Make the folders of .env.example readable.")
def look_at_disk() -> Finding:
    folders = [settings.STATE_DIR, *([] if settings.S3_BUCKET else [Path(settings.MEDIA_ROOT)])]
    free = {_existing(folder): shutil.disk_usage(_existing(folder)).free for folder in folders}
    folder = min(free, key=lambda each: free[each])
    text = f"{free[folder] / GIGABYTE:.1f} GB are free at {folder}."
    if free[folder] < GIGABYTE / 5:
        return fault(f"{text} Make room now: nothing can be stored soon.")
    if free[folder] < GIGABYTE:
        return warning(f"{text} Make room soon.")
    return ok(text)


@checkup("doors", cure="Let this user read MAINTENANCE_FILE.")
def look_at_doors() -> Finding:
    """Tell of a shop that somebody closed for maintenance, and may have forgotten."""
    notice = maintenance.get_notice()
    if notice is None:
        return ok("Open to shoppers.")
    end, cure = notice.get_end(now=clock.now()), "`manage.py maintenance off` opens the shop."
    if end is None:
        return warning(f"Closed for maintenance, and should be open by now. {cure}")
    return warning(f"Closed for maintenance until about {localtime(end):%H:%M}. {cure}")


def _host_of(url: str) -> str:
    """Name host and port of an address, never the password in it."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname or url)


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())
