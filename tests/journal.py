"""Waiting for the journal of changes, whose horizon is the whole cluster's."""

from __future__ import annotations

import time

from shop import changes


def look_until_the_horizon_passes(xid: int) -> None:
    """Look until nothing this old is open in the whole cluster, where other databases write too."""
    gives_up_at = time.monotonic() + 30
    while changes.get_horizon() <= xid:
        assert time.monotonic() < gives_up_at, f"{changes.get_horizon()} never passed {xid}"
        time.sleep(0.02)
        changes.look_again()
        changes.catch_up()
