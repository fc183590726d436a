"""CPU time and memory of process trees, from /proc: it holds on a noisy machine, unlike wall time."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PARENT, USER, CHILDREN_SYSTEM = 1, 11, 14
"""Places in /proc/<pid>/stat after the name: the parent; user, system and the children's time."""
SHARE = re.compile(r"^Pss: +(\d+) kB", re.MULTILINE)


def read_seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """Sum what each root process and all below it have used so far, ended children included."""
    ticks, children = _read_processes()
    return {
        name: sum(ticks.get(pid, 0) for pid in _family(root, children)) / TICKS_PER_SECOND
        for name, root in roots.items()
    }


def read_memory_mb(root: int) -> float:
    """Sum the memory of a process and all below it; what they share counts once."""
    _ticks, children = _read_processes()
    kilobytes = 0
    for pid in _family(root, children):
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            match = SHARE.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
            kilobytes += int(match[1]) if match else 0
    return kilobytes / 1024


def _read_processes() -> tuple[dict[int, int], dict[int, list[int]]]:
    """Return the ticks that each process has used, and the children of each."""
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
    return ticks, children


def _family(root: int, children: Mapping[int, list[int]]) -> list[int]:
    family = [root]
    for pid in family:
        family += children.get(pid, [])
    return family
