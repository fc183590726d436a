"""The shop's addresses, and some below /faulty/ where each kind of refusal and fault happens."""

from __future__ import annotations

from typing import NoReturn

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest
from django.urls import path

from config.urls import handler500
from config.urls import urlpatterns as shop_addresses

__all__ = ["handler500", "urlpatterns"]

FAULTS: dict[str, type[Exception]] = {
    "bad-request": BadRequest,
    "too-much": RequestDataTooBig,
    "forbidden": PermissionDenied,
    "nothing": Http404,
    "broken": ZeroDivisionError,
    "database-away": OperationalError,
}


def fail(request: HttpRequest, fault: str) -> NoReturn:
    raise FAULTS[fault]("on purpose")


urlpatterns = [path("faulty/<slug:fault>/", fail), *shop_addresses]
