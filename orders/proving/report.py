"""The table at the end, in words of whoever owns the shop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from orders.proving.run import Result

WIDTH = 58
MOST_VIOLATIONS = 20


def describe(result: Result) -> str:
    """Write the whole result as text."""
    verdict, outcomes = result.verdict, Counter(each.outcome for each in result.purchases)
    retried = [each for each in result.purchases if each.tries_again]
    lines = [
        "",
        "PURCHASES",
        _row("tried", len(result.purchases)),
        _row("  paid at the provider", outcomes["paid"]),
        _row("  refused, because it was sold out", outcomes["sold_out"]),
        _row("  left unpaid, or given up", outcomes["unpaid"]),
        _row("  stuck: the shopper lost patience", outcomes["stuck"]),
        _row("shoppers who had to try something again", len(retried)),
        "",
        "MONEY AND GOODS",
        _row("taken by the provider", f"{verdict.taken:,.2f} EUR"),
        *(
            _row(f"  payments with {name}", count)
            for name, count in sorted(verdict.paid_by.items())
        ),
        _row("sent back by it", f"{verdict.sent_back:,.2f} EUR"),
        _row("orders that stand, paid", verdict.orders_paid),
        _row("  of which pieces went back", verdict.orders_partly_sent_back),
        _row("orders whose money went back", verdict.orders_sent_back),
        _row("refunds of single pieces", verdict.refunds_of_pieces),
        _row("orders that ended unpaid", verdict.orders_unpaid),
        _row("pieces sold, of those there were", f"{verdict.sold:,} of {verdict.stocked:,}"),
        _row("mails that arrived", verdict.mails),
        _row("  copies of one, its sender died (same Message-ID)", verdict.copies_of_mails),
        "",
        "WHAT MUST BE ZERO",
        _row("charged twice", verdict.charged_twice),
        _row("paid orders lost", verdict.lost),
        _row("pieces sold that were not there", verdict.oversold),
        _row("told twice", verdict.told_twice),
        _row(
            f"violations, of {verdict.invariants_checked} invariants and of the provider's books",
            len(verdict.violations),
        ),
        "",
        "FAULTS",
        *(_row(kind, count) for kind, count in sorted(result.faults.items())),
        _row("together", sum(result.faults.values())),
        _row("  in each second of selling", f"{_rate(result):.2f}"),
        "",
        "RECOVERY",
        _row("shopper paid to order placed, s: half within", _quantile(result.waits, 0.5)),
        _row("  95 of 100 within", _quantile(result.waits, 0.95)),
        _row("  the slowest", _quantile(result.waits, 1.0)),
        *(
            _row(f"{name} back after it was gone, s: half within", _quantile(sorted(seconds), 0.5))
            + f"; 95 of 100 within {_quantile(sorted(seconds), 0.95)}"
            for name, seconds in sorted(result.recoveries.items())
        ),
        "",
        f"Seed {result.wishes.seed}, {result.wishes.shoppers} shoppers at a time, "
        f"{'with' if result.has_redis else 'without'} Redis. Selling took "
        f"{result.selling_seconds:,.0f} s, settling {result.settling_seconds:,.0f} s"
        f"{' (hurried)' if result.wishes.is_hurried else ''}, all of it {result.seconds:,.0f} s: "
        f"{len(result.purchases) / max(1.0, result.selling_seconds) * 60:,.0f} purchases a minute.",
        *_list_stuck(result),
        *_list_violations(verdict.violations),
    ]
    return "\n".join(lines)


def _row(label: str, value: int | str) -> str:
    shown = f"{value:,}" if isinstance(value, int) else value
    return f"  {label:<{WIDTH}} {shown:>16}"


def _rate(result: Result) -> float:
    return sum(result.faults.values()) / max(1.0, result.selling_seconds)


def _quantile(sorted_seconds: Sequence[float], share: float) -> str:
    if not sorted_seconds:
        return "-"
    place = min(len(sorted_seconds) - 1, int(len(sorted_seconds) * share))
    return f"{sorted_seconds[place]:.1f}"


def _list_stuck(result: Result) -> Iterable[str]:
    stuck = [each for each in result.purchases if each.outcome == "stuck"]
    return [f"Stuck: purchase {each.number}: {each.reason}" for each in stuck[:MOST_VIOLATIONS]]


def _list_violations(violations: Sequence[str]) -> Iterable[str]:
    shown = [f"VIOLATION: {each}" for each in violations[:MOST_VIOLATIONS]]
    if len(violations) > MOST_VIOLATIONS:
        shown.append(f"and {len(violations) - MOST_VIOLATIONS:,} more")
    return shown
