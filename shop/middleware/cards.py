"""Card numbers are typed at the payment provider; one that is typed here goes no further."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from shop import cards

NOT_LOOKED_AT = ("/admin/", "/payments/webhooks/", "/media/")
"""Staff type the numbers of parcels; what providers send is signed and has no card numbers."""
LEAST_DIGITS = 14


def refuse_card_numbers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer 400 before any view, session or log sees a card number; it is not repeated."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(NOT_LOOKED_AT) or not _has_card_number(request):
            return get_response(request)
        response = render(request, "shop/card_number.html", status=400)
        response.headers["Cache-Control"] = "no-store"
        # Django would write the address to the log, and the number may stand in it.
        setattr(response, "_has_been_logged", True)  # noqa: B010
        return response

    return middleware


def _has_card_number(request: HttpRequest) -> bool:
    if any(map(cards.has_any, _list_values(request.GET))):
        return True
    return request.method == "POST" and any(map(cards.has_any, _list_values(request.POST)))


def _list_values(typed: QueryDict) -> Iterable[str]:
    for name, values in typed.lists():
        if "password" not in name:
            yield from (value for value in values if len(value) >= LEAST_DIGITS)
