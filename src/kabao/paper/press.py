"""Sets documents by typst: one kept compiler, one document at a time, in a folder of its own.

The value travels as a JSON file and pictures as files beside it, so that nothing anybody wrote is ever part of the
template's text. Packages cannot be fetched: the places they are looked for in lie in the document's own folder.
"""

import io
import tempfile
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Final, Literal

import msgspec
import typst
from PIL import Image

from kabao.paper.model import PackPaper, RulingPaper, StoryPaper, Template

FONT: Final = "Noto Sans SC"
THUMBNAIL_PIXELS: Final = 360


class PaperFailed(Exception):  # noqa: N818  named for what happened
    """A document could not be set: a fault of the template, never of what people wrote."""


class Press:
    """Prints values; safe to call from several threads, which take turns."""

    def __init__(self) -> None:
        package = resources.files("kabao.paper")
        with resources.as_file(package / "fonts") as fonts:
            self._fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts)])
        self._compiler = typst.Compiler(font_paths=self._fonts, ignore_system_fonts=True)
        folder = package / "templates"
        self._common = folder.joinpath("common.typ").read_bytes()
        self._templates: dict[Template, bytes] = {
            "pack": folder.joinpath("pack.typ").read_bytes(),
            "ruling": folder.joinpath("ruling.typ").read_bytes(),
            "story": folder.joinpath("story.typ").read_bytes(),
        }
        self._turn = threading.Lock()

    def pack(self, value: PackPaper, *, at: datetime, pictures: Mapping[str, bytes]) -> bytes:
        """Print the paper of a pack; `at` becomes the PDF's date, `pictures` are JPEG or PNG by the items' names."""
        return self._pdf("pack", value, at, pictures)

    def ruling(self, value: RulingPaper, *, at: datetime) -> bytes:
        """Print a ruling; `at` becomes the PDF's date."""
        return self._pdf("ruling", value, at, {})

    def story(self, value: StoryPaper, *, at: datetime) -> bytes:
        """Print the paper of a purchase made elsewhere; `at` becomes the PDF's date."""
        return self._pdf("story", value, at, {})

    def pages(self, value: PackPaper | RulingPaper, *, at: datetime, pictures: Mapping[str, bytes]) -> list[bytes]:
        """Print to one PNG a page, for looking at a document."""
        template: Template = "pack" if isinstance(value, PackPaper) else "ruling"
        made = self._set(template, value, at, pictures, "png")
        return [made] if isinstance(made, bytes) else made

    def _pdf(
        self,
        template: Template,
        value: PackPaper | RulingPaper | StoryPaper,
        at: datetime,
        pictures: Mapping[str, bytes],
    ) -> bytes:
        made = self._set(template, value, at, pictures, "pdf")
        assert isinstance(made, bytes)  # noqa: S101  only pictures come page by page
        return made

    def _set(
        self,
        template: Template,
        value: PackPaper | RulingPaper | StoryPaper,
        at: datetime,
        pictures: Mapping[str, bytes],
        kind: Literal["pdf", "png"],
    ) -> bytes | list[bytes]:
        with tempfile.TemporaryDirectory(prefix="kabao-paper-") as name, self._turn:
            folder = Path(name)
            folder.joinpath("common.typ").write_bytes(self._common)
            folder.joinpath("value.json").write_bytes(msgspec.json.encode(value))
            for picture, content in pictures.items():
                folder.joinpath(Path(picture).name).write_bytes(content)
            try:
                made = self._compiler.compile(
                    input=self._templates[template],
                    root=folder,
                    format=kind,
                    timestamp=at.astimezone(UTC).replace(microsecond=0),
                    ppi=110 if kind == "png" else None,
                )
            except typst.TypstError as error:
                raise PaperFailed(error.message) from None
        if made is None:
            raise PaperFailed("nothing was printed")
        return made


def thumbnail(content: bytes) -> bytes | None:
    """Make a small JPEG of a picture that was re-encoded here; None where it is not one."""
    try:
        with Image.open(io.BytesIO(content), formats=["WEBP", "PNG", "JPEG"]) as picture:
            picture.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
            plain = Image.new("RGB", picture.size, "white")
            upright = picture.convert("RGBA")
            plain.paste(upright, mask=upright.getchannel("A"))
            written = io.BytesIO()
            plain.save(written, "JPEG", quality=80)
    except Exception:  # noqa: BLE001  decoders raise almost anything; each of it means: no picture
        return None
    return written.getvalue()
