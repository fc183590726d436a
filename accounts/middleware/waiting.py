"""Some forms answer no sooner than after a while, so that their time tells nothing.

Signing up or asking for a new password makes other rows and other mails for an address that has an
account than for one that has none. Both end well before the moment at which both are answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def answer_no_sooner(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Wait for the rest of `FORMS_ANSWER_AFTER_SECONDS`; no row is locked meanwhile."""

    def middleware(request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = get_response(request)
        if request.method == "POST" and request.resolver_match:
            seconds = settings.FORMS_ANSWER_AFTER_SECONDS.get(request.resolver_match.view_name, 0)
            time.sleep(max(0, began + seconds - time.monotonic()))
        return response

    return middleware
