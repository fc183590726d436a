"""Pure picture work: judge an upload, make it harmless, and encode it in several widths."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from catalog.errors import ImageRefused

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_SIDE = 12_000
WIDTHS = (320, 480, 640, 960, 1280)
EXTENSIONS = {"avif": "avif", "webp": "webp", "jpeg": "jpg"}
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF")
WHITE = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Upright:
    """A picture without its metadata, encoded anew: nothing of the uploaded file is left in it."""

    content: bytes
    extension: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Rendition:
    format: str
    width: int
    content: bytes

    @property
    def suffix(self) -> str:
        return f"-{self.width}.{EXTENSIONS[self.format]}"


def measure(content: bytes) -> tuple[str, int, int]:
    """Return the format and the upright size of a picture, judged by its bytes, not its name.

    Raises `ImageRefused`; the pixels are not decoded.
    """
    with _open(content) as image:
        width, height = image.size
        if image.getexif().get(0x0112, 1) >= 5:
            width, height = height, width
        return str(image.format).lower(), width, height


def make_harmless(content: bytes) -> Upright:
    """Decode a picture, turn it upright, and encode it anew without metadata.

    Photographs become JPEG; what has transparency or was lossless stays so. Raises `ImageRefused`.
    """
    with _open(content) as opened:
        was_lossless = opened.format in {"PNG", "GIF"}
        image = _decode(opened)
    buffer = io.BytesIO()
    if was_lossless:
        image.save(buffer, "PNG")
        extension = "png"
    elif image.mode == "RGBA":
        image.save(buffer, "WEBP", quality=92, method=4)
        extension = "webp"
    else:
        image.save(buffer, "JPEG", quality=92, subsampling=0)
        extension = "jpg"
    return Upright(buffer.getvalue(), extension, image.width, image.height)


def choose_widths(original: int) -> list[int]:
    """Return the widths to make of a picture so wide; it is never made larger."""
    widths = [width for width in WIDTHS if width <= original]
    widest = min(original, WIDTHS[-1])
    if not widths or widest >= widths[-1] * 1.15:
        widths.append(widest)
    return widths


def render(content: bytes) -> Iterator[Rendition]:
    """Encode a picture in every width and format. Raises `ImageRefused`."""
    with _open(content) as opened:
        image = _decode(opened)
    for width in choose_widths(image.width):
        height = max(1, round(image.height * width / image.width))
        sized = image
        if width != image.width:
            sized = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
        yield Rendition("avif", width, _encode(sized, "AVIF", quality=58, speed=8))
        yield Rendition("webp", width, _encode(sized, "WEBP", quality=78, method=4))
        yield Rendition(
            "jpeg", width, _encode(_flatten(sized), "JPEG", quality=80, progressive=True)
        )


def _open(content: bytes) -> Image.Image:
    if len(content) > MAX_BYTES:
        raise ImageRefused(_("This picture is larger than 20 MB. Please save it smaller."))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise ImageRefused(
            _("This file is not a picture. JPEG, PNG, WebP, AVIF and GIF are welcome.")
        ) from None
    except Image.DecompressionBombError:
        raise _too_large() from None
    except Exception as error:
        raise ImageRefused(_("This picture is damaged and cannot be read.")) from error
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        image.close()
        raise _too_large()
    if not width or not height:
        image.close()
        raise ImageRefused(_("This picture is empty."))
    return image


def _too_large() -> ImageRefused:
    return ImageRefused(
        _("This picture has more than 40 million pixels, or a side over 12,000. Save it smaller.")
    )


def _decode(opened: Image.Image) -> Image.Image:
    """Read the first frame as upright sRGB, with transparency only where the picture has some."""
    try:
        opened.seek(0)
        opened.load()
        image = _to_srgb(ImageOps.exif_transpose(opened))
    except Exception as error:
        raise ImageRefused(_("This picture is damaged and cannot be read.")) from error
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    return Image.frombytes(image.mode, image.size, image.tobytes())


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if profile and image.mode in {"RGB", "RGBA", "CMYK"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image,
                source,
                ImageCms.createProfile("sRGB"),
                outputMode="RGB" if image.mode == "CMYK" else image.mode,
            )
        except (ImageCms.PyCMSError, OSError):
            return image.convert(mode)
        return converted.convert(mode) if converted else image.convert(mode)
    if image.mode.startswith("I") or image.mode == "F":
        return _reduce_depth(image).convert("RGB")
    return image.convert(mode)


def _reduce_depth(image: Image.Image) -> Image.Image:
    """Bring 16-bit greys to 8 bits; Pillow's own conversion would clip them to white."""
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, WHITE)
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _encode(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()
