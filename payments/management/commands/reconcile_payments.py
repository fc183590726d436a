from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import is_naive, localtime, make_aware

from payments.errors import ProviderRefused, ProviderUnavailable
from payments.gateways.books import list_providers_with_books
from payments.models import ReconciliationBreak
from payments.services import reconciliation
from payments.services.reconciliation import Report
from shop.clock import now


class Command(BaseCommand):
    help = (
        "Lay the payment providers' books beside ours: payments, refunds and disputes of a day "
        "(yesterday unless told otherwise). Settles what we missed, imports refunds begun at the "
        "provider, and leaves the rest as breaks that staff work through in the admin. Repeating "
        "it makes no doubles. Exits with 1 when breaks are open or something could not be compared."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--day", help="A day of the shop's time zone, as 2026-11-21.")
        parser.add_argument("--since", help="A day or a moment, as 2026-11-21T14:00.")
        parser.add_argument("--until", help="A day, itself included, or a moment; now by itself.")
        parser.add_argument("--provider", help="Only this one, such as stripe.")
        parser.add_argument("--json", action="store_true", help="Print the reports as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        since, until = _read_period(options)
        providers = [options["provider"]] if options["provider"] else list_providers_with_books()
        if not providers:
            raise CommandError("No payment provider with books that can be read is set up.")
        reports, unasked = _reconcile_each(providers, since, until)
        rows = {report.provider: _list_open(report.provider) for report in reports}
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(each, rows[each.provider]) for each in reports]))
        else:
            for report in reports:
                self._print(report, rows[report.provider])
        if unasked:
            raise CommandError(" ".join(unasked))
        open_count = sum(map(len, rows.values()))
        stumbles = sum(len(report.stumbles) for report in reports)
        if open_count or stumbles:
            raise CommandError(
                f"{open_count} breaks are open, {stumbles} things could not be compared. "
                "See the admin, Payments, Reconciliation."
            )

    def _print(self, report: Report, rows: list[ReconciliationBreak]) -> None:
        period = f"{_shown(report.since)} to {_shown(report.until)}"
        self.stdout.write(f"{report.provider}, {period}")
        self.stdout.write(
            f"  looked at   {report.charges} payments, {report.refunds} refunds, "
            f"{report.disputes} disputes"
        )
        for fee in report.fees:
            self.stdout.write(f"  fees        {_amount(fee.amount, fee.currency)}")
        self.stdout.write(
            f"  mended      {report.settled} payments settled, {report.imported} refunds imported"
        )
        self.stdout.write(
            f"  breaks      {len(rows)} open, {report.opened} of them new; {report.closed} closed"
        )
        if report.listed_until:
            self.stdout.write(
                f"  not yet     {report.provider} may not list what happened after "
                f"{_shown(report.listed_until)}; run it again later"
            )
        for row in rows:
            amounts = f"ours {_amount(row.ours, row.ours_currency)}, " + (
                f"theirs {_amount(row.theirs, row.theirs_currency)}"
            )
            self.stdout.write(
                f"    {row.get_kind_display()}: {row.get_subject_display()} {row.provider_id}, "
                f"{amounts}. {row.finding}"
            )
        for stumble in report.stumbles:
            self.stdout.write(self.style.ERROR(f"    not compared: {stumble}"))


def _reconcile_each(
    providers: list[str], since: datetime, until: datetime
) -> tuple[list[Report], list[str]]:
    """Reconcile with each provider; return the reports, and what to say of those not asked."""
    reports, unasked = [], []
    for provider in providers:
        try:
            reports.append(reconciliation.reconcile(provider, since=since, until=until))
        except ProviderUnavailable as error:
            unasked.append(f"{provider}: {error} Nothing is lost; run it again later.")
        except ProviderRefused as error:
            unasked.append(f"{provider}: {error} ({error.reason})")
    return reports, unasked


def _read_period(options: dict[str, Any]) -> tuple[datetime, datetime]:
    if options["day"] and (options["since"] or options["until"]):
        raise CommandError("Give either --day or --since and --until.")
    if options["until"] and not options["since"]:
        raise CommandError("Give --since beside --until.")
    if options["since"]:
        since = _read_moment(options["since"])
        until = _read_moment(options["until"], is_end=True) if options["until"] else now()
    else:
        day = _read_day(options["day"]) if options["day"] else reconciliation.yesterday()
        since, until = reconciliation.bounds_of(day)
    if since >= until:
        raise CommandError("The period ends before it begins.")
    return since, until


def _read_day(text: str) -> date:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"{text!r} is no day; write it as 2026-11-21.")
    return day


def _read_moment(text: str, *, is_end: bool = False) -> datetime:
    """Read a moment, or a day: its beginning, and as the end of a period the next one's."""
    try:
        moment = parse_datetime(text) if "T" in text or " " in text else None
    except ValueError:
        moment = None
    if moment is None:
        day = _read_day(text) + timedelta(days=int(is_end))
        moment = datetime.combine(day, time.min)
    return make_aware(moment) if is_naive(moment) else moment


def _list_open(provider: str) -> list[ReconciliationBreak]:
    rows = ReconciliationBreak.objects.filter(
        provider=provider, status=ReconciliationBreak.Status.OPEN
    )
    return list(rows.order_by("happened_at", "pk"))


def _as_json(report: Report, rows: list[ReconciliationBreak]) -> dict[str, Any]:
    return {
        **asdict(report),
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "listed_until": report.listed_until.isoformat() if report.listed_until else None,
        "fees": [_amount(fee.amount, fee.currency) for fee in report.fees],
        "breaks": [
            {
                "id": row.pk,
                "kind": row.kind,
                "subject": row.subject,
                "provider_id": row.provider_id,
                "reference": row.attempt.reference if row.attempt else "",
                "ours": _amount(row.ours, row.ours_currency),
                "theirs": _amount(row.theirs, row.theirs_currency),
                "finding": row.finding,
                "first_seen_at": row.first_seen_at.isoformat(),
            }
            for row in rows
        ],
    }


def _amount(amount: Any, currency: str) -> str:
    return "nothing" if amount is None else f"{amount.normalize():f} {currency}"


def _shown(moment: datetime) -> str:
    return localtime(moment).strftime("%Y-%m-%d %H:%M")
