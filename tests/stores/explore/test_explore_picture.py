"""Images as rows of pixels, and what is none."""

import io

import pytest
from PIL import Image

from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.stores.explore import picture
from tests.stores.explore.explored import explorer, fill, level

RED, BLUE = (255, 0, 0), (0, 0, 255)


def image(kind: str, size: tuple[int, int] = (4, 3), mode: str = "RGB") -> bytes:
    """Red above, blue below."""
    made = Image.new(mode, size, RED)
    made.paste(BLUE, (0, size[1] // 2, *size))
    out = io.BytesIO()
    made.save(out, kind, **({"lossless": True} if kind == "WEBP" else {}))
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "WEBP"])
def test_an_image_is_its_pixels(kind: str) -> None:
    found = picture.picture(image(kind))
    assert found is not None
    assert (found.what, found.note) == ("image", f"{kind}, 4 × 3")
    assert found.pixels == ((RED,) * 4, (BLUE,) * 4, (BLUE,) * 4)


def test_a_large_one_is_made_small_and_keeps_its_shape() -> None:
    found = picture.picture(image("JPEG", (1600, 800)))
    assert found is not None
    assert (len(found.pixels[0]), len(found.pixels)) == (picture.COLUMNS, picture.COLUMNS // 2)


def test_what_is_clear_is_black() -> None:
    made, out = Image.new("RGBA", (1, 1), (255, 255, 255, 0)), io.BytesIO()
    made.save(out, "PNG")
    found = picture.picture(out.getvalue())
    assert found is not None
    assert found.pixels == (((0, 0, 0),),)


@pytest.mark.parametrize("size", [(8000, 8000), (20_000, 10_000)])
def test_a_bomb_is_not_unpacked(size: tuple[int, int]) -> None:
    """Of black and white, which is quickly made; unpacked it has three bytes a pixel."""
    made, out = Image.new("1", size), io.BytesIO()
    made.save(out, "PNG")
    assert picture.picture(out.getvalue()) is None


@pytest.mark.parametrize(
    "body", [b"", b"\x89PNG\r\n\x1a\n", image("PNG")[:45], b"BM no", b"GIF89a"]
)
def test_a_broken_one_is_none(body: bytes) -> None:
    assert picture.picture(body) is None


def test_an_explorer_shows_images_where_it_is_asked_to() -> None:
    store = MemoryStore(MemoryBucket())
    fill(store, {"a.png": image("PNG", (200, 200)), "no.png": b"\x89PNG\r\nbroken"})
    found = explorer(store)
    entries = level(found)
    assert found.preview(entries["a.png"], most=100, pictures=True).what == "image"
    assert found.preview(entries["a.png"]).what == "hex"
    assert found.preview(entries["no.png"], pictures=True).what == "hex"
