"""Makes the picture everybody in a case sees: upright, small, blacked out, without the original's metadata."""

import io
import warnings
from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageDraw, ImageOps

from kabao.evidence.model import PER_MILLE, PREVIEW_PIXELS, Mark, MediaType

MAX_PIXELS: Final = 50_000_000
"""About the largest photograph a phone makes; decoding one takes at most 200 MB for a moment."""

QUALITY: Final = 82
PREVIEW_TYPE: Final = MediaType.WEBP

# The library's own guard stands before any pixel is decoded: a warning above this, which is an error here, and an
# error above twice as many wherever somebody has reset the warnings.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class UnreadableImage(Exception):  # noqa: N818  named for what happened
    """The bytes are not a whole image of the kind they claim to be, or one too large to open safely."""


def preview_of(content: bytes, kind: MediaType, marks: Sequence[Mark] = ()) -> bytes:
    """Decode an image whole and write it again as WebP, at most 1600 pixels a side; raises `UnreadableImage`.

    The first frame of an animation is taken. Orientation is applied; EXIF, colour profile and comments are dropped;
    what is marked is black, with every pixel a mark touches.
    """
    try:
        with Image.open(io.BytesIO(content), formats=[kind.removeprefix("image/").upper()]) as image:
            # A JPEG is decoded at a fraction of its size straight away.
            image.draft("RGB", (PREVIEW_PIXELS, PREVIEW_PIXELS))
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((PREVIEW_PIXELS, PREVIEW_PIXELS))
            plain = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
            plain.info.clear()
            _black_out(plain, marks)
            written = io.BytesIO()
            plain.save(written, "WEBP", quality=QUALITY)
    # A broken file makes the decoders raise almost anything; each of it means the same to whoever sent it.
    except Exception as error:
        raise UnreadableImage from error
    return written.getvalue()


def _black_out(picture: Image.Image, marks: Sequence[Mark]) -> None:
    pen = ImageDraw.Draw(picture)
    for mark in marks:
        pen.rectangle(
            (
                mark.left * picture.width // PER_MILLE,
                mark.top * picture.height // PER_MILLE,
                -(-mark.right * picture.width // PER_MILLE),
                -(-mark.bottom * picture.height // PER_MILLE),
            ),
            fill="black",
        )
