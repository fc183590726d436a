"""What `manage.py doctor` looks at on this floor: the storage of the pictures."""

from __future__ import annotations

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.crypto import get_random_string

from shop.checkups import Finding, checkup, fault, ok

CURE = (
    "Let the shop write to MEDIA_ROOT."
    if not settings.S3_BUCKET
    else "Compare the S3 settings with .env.example, and what the key may do with the bucket."
)


@checkup("media", cure=CURE)
def look_at_media() -> Finding:
    """Write, read and delete a tiny file where the pictures are kept."""
    where = f"bucket {settings.S3_BUCKET}" if settings.S3_BUCKET else str(settings.MEDIA_ROOT)
    content = get_random_string(20).encode()
    name = default_storage.save(f"doctor-{get_random_string(12)}.txt", ContentFile(content))
    try:
        with default_storage.open(name) as file:
            is_kept = file.read() == content
    finally:
        default_storage.delete(name)
    if not is_kept:
        return fault(f"What was written to {where} came back changed. {CURE}")
    return ok(f"A file was written to {where}, read back and deleted.")
