"""The picture everybody sees: upright, small, without what the original told about its maker."""

import io
import struct
import zlib

import pytest
from PIL import Image

from kabao.evidence.model import MediaType
from kabao.evidence.previews import UnreadableImage, preview_of


def written(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_a_turned_photograph_is_shown_upright_and_without_its_exif() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8825)[1] = "N"
    photograph = Image.new("RGB", (60, 30), "red")
    photograph.paste("blue", (0, 0, 30, 30))
    preview = opened(preview_of(written(photograph, "JPEG", exif=exif, comment=b"secret"), MediaType.JPEG))
    assert (preview.format, preview.size) == ("WEBP", (30, 60))
    assert not preview.getexif()
    assert not {"exif", "icc_profile", "comment", "xmp"} & set(preview.info)
    top, bottom = preview.convert("RGB").getpixel((15, 5)), preview.convert("RGB").getpixel((15, 55))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[2] > 200
    assert bottom[0] > 200


@pytest.mark.parametrize(("kind", "name"), [(MediaType.PNG, "PNG"), (MediaType.JPEG, "JPEG"), (MediaType.WEBP, "WEBP")])
def test_a_large_picture_becomes_small(kind: MediaType, name: str) -> None:
    preview = opened(preview_of(written(Image.new("RGB", (3300, 900), "green"), name), kind))
    assert preview.width == 1600
    assert preview.height in range(435, 438)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16"])
def test_every_kind_of_png_has_a_preview(mode: str) -> None:
    preview = opened(preview_of(written(Image.new(mode, (8, 8)), "PNG"), MediaType.PNG))
    assert preview.size == (8, 8)


def test_a_cmyk_jpeg_has_a_preview() -> None:
    assert preview_of(written(Image.new("CMYK", (8, 8)), "JPEG"), MediaType.JPEG)


def test_an_animation_shows_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    animated = written(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    first = opened(preview_of(animated, MediaType.WEBP)).convert("RGB").getpixel((4, 4))
    assert isinstance(first, tuple)
    assert first[0] > 200


def bomb(width: int, height: int) -> bytes:
    """A few bytes that claim to be a huge picture."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "content",
    [bomb(8000, 8000), bomb(60000, 60000), bomb(100, 100), b"", b"\x89PNG\r\n\x1a\nnonsense"],
    ids=["bomb", "huge bomb", "cut", "empty", "nonsense"],
)
def test_a_bomb_or_a_broken_picture_is_unreadable(content: bytes) -> None:
    with pytest.raises(UnreadableImage):
        preview_of(content, MediaType.PNG)


def test_a_picture_is_opened_only_as_what_it_is() -> None:
    with pytest.raises(UnreadableImage):
        preview_of(written(Image.new("RGB", (8, 8)), "GIF"), MediaType.PNG)
