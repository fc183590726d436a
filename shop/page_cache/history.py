"""What has changed lately, so that a page of another process can be judged: is it still true?"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable

from shop import changes
from shop.page_cache.page import Page

MOST_SUBJECTS = 50_000


class History:
    """The highest transaction number by subject, and from which number on that is all of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.latest: OrderedDict[str, int] = OrderedDict()
        self.complete_from = 0

    def record(self, subjects: Iterable[str], xid: int) -> None:
        with self.lock:
            if changes.EVERYTHING in subjects:
                self.latest.clear()
                self.complete_from = max(self.complete_from, xid + 1)
                return
            for subject in subjects:
                self.latest[subject] = max(xid, self.latest.pop(subject, 0))
            while len(self.latest) > MOST_SUBJECTS:
                _subject, forgotten = self.latest.popitem(last=False)
                self.complete_from = max(self.complete_from, forgotten + 1)

    def is_true(self, page: Page) -> bool:
        """Say whether nothing that the page was read from has changed since; if unsure, it has.

        A page with a higher number than this process knows is ahead of it for a moment, or from
        before a dump was restored.
        """
        start = changes.get_start()
        if page.horizon > changes.get_horizon():
            return False
        with self.lock:
            if not start or page.horizon < max(start, self.complete_from):
                return False
            return all(self.latest.get(source, 0) < page.horizon for source in page.sources)
