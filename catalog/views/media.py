"""Pictures from the disk of a shop without S3. A proxy may serve the folder instead."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import FileResponse, HttpRequest, HttpResponseNotFound
from django.views.decorators.http import require_safe

MEDIA_TYPES = {
    ".avif": "image/avif",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
}
FOR_A_YEAR = "public, max-age=31536000, immutable"


@require_safe
def serve(request: HttpRequest, name: str) -> FileResponse | HttpResponseNotFound:
    """Send a picture; names are random and never reused, so it may be kept for ever."""
    media_type = MEDIA_TYPES.get(Path(name).suffix.lower())
    if media_type is None or not isinstance(default_storage, FileSystemStorage) or "\x00" in name:
        return HttpResponseNotFound()
    try:
        file = default_storage.open(name)
    except (SuspiciousFileOperation, OSError):
        return HttpResponseNotFound()
    return FileResponse(
        file,
        content_type=media_type,
        headers={
            "Cache-Control": FOR_A_YEAR,
            "X-Content-Type-Options": "nosniff",
            # Whatever a browser takes it for: it runs nothing, and is of no origin.
            "Content-Security-Policy": settings.UPLOAD_CONTENT_SECURITY_POLICY,
            "Content-Disposition": f'inline; filename="{Path(name).name}"',
            # Mails show them too, in browsers that are on another site.
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )
