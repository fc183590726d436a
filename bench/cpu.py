"""CPU time of process trees, read from /proc: it holds on a noisy machine, unlike wall time."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PARENT, USER, CHILDREN_SYSTEM = 1, 11, 14
"""Places in /proc/<pid>/stat after the name: the parent; user, system and the children's time."""


def read_seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """Sum what each root process and all below it have used so far, ended children included."""
    ticks: dict[int, int] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        pid = int(entry.name)
        ticks[pid] = sum(int(field) for field in fields[USER : CHILDREN_SYSTEM + 1])
        children[int(fields[PARENT])].append(pid)
    return {
        name: sum(ticks.get(pid, 0) for pid in _family(root, children)) / TICKS_PER_SECOND
        for name, root in roots.items()
    }


def _family(root: int, children: Mapping[int, list[int]]) -> list[int]:
    family = [root]
    for pid in family:
        family += children.get(pid, [])
    return family
