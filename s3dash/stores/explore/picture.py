"""Images made small enough for a terminal. Needs the extra `images`; without it there are none."""

import io

from s3dash.stores.explore.preview import Pixel, Preview

MOST = 8 << 20
"""Bytes of an image that are fetched to be shown."""
PIXELS_MOST = 16_000_000
"""An image that unpacks to more is not looked at."""
COLUMNS, ROWS = 38, 44
"""Pixels of the small one at most; a character shows two, one above the other."""

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
_BEGINNINGS = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")


def may_be(head: bytes) -> bool:
    """Whether bytes begin as an image does."""
    return head.startswith(_BEGINNINGS)


def picture(body: bytes) -> Preview | None:
    """The image that these bytes are, made small; None for what is none, or cannot be shown."""
    try:
        from PIL import Image  # late, and not installed everywhere
    except ImportError:
        return None
    wrong = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(body), formats=_FORMATS) as image:
            if image.width * image.height > PIXELS_MOST:
                return None
            note = f"{image.format}, {image.width} × {image.height}"
            image.draft("RGB", (COLUMNS, ROWS))
            image.thumbnail((COLUMNS, ROWS))
            small = Image.new("RGBA", image.size, (0, 0, 0, 255))
            small.alpha_composite(image.convert("RGBA"))
            raw = small.convert("RGB").tobytes()
            return Preview(what="image", note=note, pixels=_rows(raw, small.width))
    except (OSError, ValueError, SyntaxError, *wrong):  # what Pillow says of broken ones
        return None


def _rows(raw: bytes, width: int) -> tuple[tuple[Pixel, ...], ...]:
    pixels = [(raw[at], raw[at + 1], raw[at + 2]) for at in range(0, len(raw), 3)]
    return tuple(tuple(pixels[at : at + width]) for at in range(0, len(pixels), width))
