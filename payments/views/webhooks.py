"""Where providers tell us what happened: verify, store, answer; the work is a task."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from payments.errors import ForgedEvent, ProviderUnavailable
from payments.services import inbox

LARGEST_BODY = 512 * 1024


@csrf_exempt
@require_POST
def receive(request: HttpRequest, *, provider: str) -> HttpResponse:
    """Take a provider's event: 200 once it is stored, 400 when it is not the provider's.

    503 where that cannot be told now; the provider calls again.
    """
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        return HttpResponse("too large", status=413, content_type="text/plain")
    try:
        inbox.receive(provider, body=request.body, headers=request.headers)
    except ForgedEvent as error:
        return HttpResponse(str(error), status=400, content_type="text/plain")
    except ProviderUnavailable:
        return HttpResponse("cannot be verified now", status=503, content_type="text/plain")
    return HttpResponse("stored", content_type="text/plain")
