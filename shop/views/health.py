"""Whether the process lives and whether it can serve; neither asks Redis, S3 or a provider."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shop import queries


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """Answer as long as the process does; touch nothing else."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database is there and every migration is applied, else 503."""
    try:
        waiting = queries.count_unapplied_migrations()
    except DatabaseError:
        return JsonResponse({"status": "the database does not answer"}, status=503)
    if waiting:
        return JsonResponse({"status": f"{waiting} migrations are not applied"}, status=503)
    return JsonResponse({"status": "ready"})
