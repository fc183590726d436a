"""Staff who cancel orders and give single pieces back, on the admin's pages over HTTP."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from random import Random

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import Error as AnyDatabaseError
from django.db import connection

from accounts import staff_sessions
from accounts.models import User
from orders.models import Order
from orders.proving.browser import Browser, NoAnswer, Page, read_form

CANCELLED = 0.02
GIVEN_BACK = 0.05
"""The shares of purchases that staff cancel, and of which they give pieces back, at most."""
LATEST_ORDERS = 200
PAUSE_SECONDS = 0.3
TRIES = 60
ORDERS = "/admin/orders/order/"


def sign_in(email: str) -> dict[str, str]:
    """Return the cookies of somebody who has signed in."""
    user = User.objects.get(email=email)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    staff_sessions.mark(session)
    session.save()
    return {settings.SESSION_COOKIE_NAME: session.session_key}


@dataclass
class Staff:
    """One person at the admin, until `is_over`; `done` counts by deed what the shop agreed to."""

    shop: str
    cookies: dict[str, str]
    random: Random
    purchases: int
    done: Counter[str] = field(default_factory=Counter)

    def work(self, is_over: threading.Event) -> None:
        left = {
            self.cancel: max(1, round(self.purchases * CANCELLED)),
            self.give_back: max(1, round(self.purchases * GIVEN_BACK)),
        }
        while any(left.values()) and not is_over.wait(PAUSE_SECONDS):
            order_id = self._choose_order()
            if order_id is None:
                continue
            (deed,) = self.random.choices(list(left), list(left.values()))
            is_done = deed(order_id)
            left[deed] -= is_done
            self.done[deed.__name__] += is_done
        connection.close()

    def _choose_order(self) -> int | None:
        try:
            placed = Order.objects.filter(status=Order.Status.PLACED).order_by("-pk")
            found = list(placed.values_list("pk", flat=True)[:LATEST_ORDERS])
        except AnyDatabaseError:
            connection.close()
            return None
        return self.random.choice(found) if found else None

    def cancel(self, order_id: int) -> bool:
        """Cancel a whole order; say whether the shop agreed."""
        return self.fill_in(f"{ORDERS}{order_id}/cancel/", reason="Changed their mind")

    def fill_in(self, address: str, *, page: str = "", **typed: str) -> bool:
        """Send the form for an address, which stands there or on another page, with some words."""
        form = self._open(address, page or address)
        return form is not None and self._send(address, form | typed).status == 302

    def give_back(self, order_id: int) -> bool:
        """Give one piece back, now and then with the delivery; some press the button twice."""
        address = f"{ORDERS}{order_id}/refund/"
        form = self._open(address, address)
        counts = [name for name in form or () if name.startswith("quantity_")]
        if form is None or not counts:
            return False
        form |= {self.random.choice(counts): "1", "reason": "One piece came back"}
        for name in ("restock", "with_shipping"):
            if self.random.random() < 0.5:
                form[name] = "on"
        reckoned = self._send(address, form | {"reckon": "1"})
        reckoned_form = read_form(reckoned, address) or {}
        if "seen_amount" not in reckoned_form:
            return False
        form |= {"seen_amount": reckoned_form["seen_amount"], "send": "1"}
        if self.random.random() < 0.2:
            twin = threading.Thread(target=self._send_beside, args=(address, dict(form)))
            twin.start()
            answer = self._send(address, form)
            twin.join()
        else:
            answer = self._send(address, form)
        return answer.status == 302

    def _open(self, address: str, page: str) -> dict[str, str] | None:
        """Return the form for an address on a page, if there is one."""
        browser = Browser(self.shop, dict(self.cookies))
        shown = _insist(lambda: browser.get(page))
        self.cookies = browser.cookies
        return read_form(shown, address)

    def _send(self, address: str, form: dict[str, str]) -> Page:
        return _insist(lambda: Browser(self.shop, dict(self.cookies)).post(address, form))

    def _send_beside(self, address: str, form: dict[str, str]) -> None:
        with suppress(NoAnswer):
            Browser(self.shop, dict(self.cookies)).post(address, form)


def _insist(ask: Callable[[], Page]) -> Page:
    """Ask until there is an answer, as somebody does who sees an error page; the last one else."""
    page = Page(0, "", "")
    for _try in range(TRIES):
        with suppress(NoAnswer):
            page = ask()
            if not page.has_failed:
                return page
        time.sleep(PAUSE_SECONDS)
    return page
