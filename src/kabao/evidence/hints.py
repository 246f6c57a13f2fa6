"""What a picture, a text or a PDF says of itself, read with limits and never believed."""

import io
import re
from collections.abc import Mapping
from typing import Any, Final

from PIL import Image

from kabao.evidence.model import MIB, Hints, MediaFacts, MediaType
from kabao.evidence.rules import clean_hint

_MAKE, _MODEL, _SOFTWARE, _CHANGED = 0x010F, 0x0110, 0x0131, 0x0132
_EXIF, _GPS = 0x8769, 0x8825
_TAKEN, _OFFSET = 0x9003, 0x9011
_EXIF_TIME: Final = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d:\d\d:\d\d)")
_PDF_TIME: Final = re.compile(rb"D:(\d{4})(\d\d)(\d\d)(\d\d)?(\d\d)?(\d\d)?")
_PDF_WORD: Final = rb"/%s\s*\(((?:[^()\\]|\\.){0,300})\)"
_XMP_TOOL: Final = re.compile(rb"CreatorTool[>=]\s*[\"']?([^\"'<]{1,200})")


def read(content: bytes, kind: MediaType) -> tuple[MediaFacts, Hints]:
    """Measure a picture and read what it or a PDF says of itself; nothing where it cannot be read."""
    if kind is MediaType.PDF:
        return MediaFacts(), _of_pdf(content)
    if kind.family != "image":
        return MediaFacts(), Hints()
    # Broken metadata makes the readers raise almost anything; a picture without hints is a picture all the same.
    try:
        with Image.open(io.BytesIO(content), formats=[kind.removeprefix("image/").upper()]) as image:
            width, height = image.size
            return MediaFacts(width=width, height=height), _of_image(image, content)
    except Exception:  # noqa: BLE001  see above
        return MediaFacts(), Hints()


def _of_image(image: Image.Image, content: bytes) -> Hints:
    exif = image.getexif()
    detail: Mapping[int, Any] = exif.get_ifd(_EXIF)
    taken = _exif_time(detail.get(_TAKEN))
    changed = _exif_time(exif.get(_CHANGED))
    offset = str(detail.get(_OFFSET, ""))[:6]
    packet = content[:MIB] if b"x:xmpmeta" in content[:MIB] else b""
    tool = _XMP_TOOL.search(packet)
    software = str(exif.get(_SOFTWARE, "")) or str(image.info.get("Software", ""))
    traces = [
        (
            "photoshop",
            b"Photoshop 3.0\x00" in content[:MIB] or "photoshop" in software.lower() or b"photoshop:" in packet,
        ),
        ("history", b"xmpMM:History" in packet),
        ("comment", bool(image.info.get("comment"))),
    ]
    return Hints(
        made_at=taken + (offset if taken and re.fullmatch(r"[+-]\d\d:\d\d", offset) else ""),
        changed_at=changed if changed != taken else "",
        device=clean_hint(_device(str(exif.get(_MAKE, "")), str(exif.get(_MODEL, "")))),
        software=clean_hint(software or (tool[1].decode("utf-8", errors="replace") if tool else "")),
        traces=[name for name, is_there in traces if is_there],
        has_location=bool(exif.get_ifd(_GPS)),
    )


def _device(make: str, model: str) -> str:
    """Join maker and model; many models begin with their maker."""
    return model if model.lower().startswith(make.lower().strip("\0 ")) else f"{make} {model}"


def _exif_time(value: object) -> str:
    found = _EXIF_TIME.match(str(value or ""))
    return f"{found[1]}-{found[2]}-{found[3]} {found[4]}" if found else ""


def _of_pdf(content: bytes) -> Hints:
    made, changed = _pdf_time(content, b"CreationDate"), _pdf_time(content, b"ModDate")
    traces = [
        ("updated", content.count(b"%%EOF") > 1),
        ("scripts", re.search(rb"/(?:JavaScript|JS)\b", content) is not None),
        ("attachments", b"/EmbeddedFile" in content),
    ]
    return Hints(
        made_at=made,
        changed_at=changed if changed != made else "",
        software=_pdf_word(content, b"Creator") or _pdf_word(content, b"Producer"),
        traces=[name for name, is_there in traces if is_there],
    )


def _pdf_time(content: bytes, name: bytes) -> str:
    said = re.search(_PDF_WORD % name, content)
    found = _PDF_TIME.match(said[1]) if said else None
    if not found:
        return ""
    year, month, day, *clock = (part.decode() if part else "00" for part in found.groups())
    return f"{year}-{month}-{day} {':'.join(clock)}"


def _pdf_word(content: bytes, name: bytes) -> str:
    said = re.search(_PDF_WORD % name, content)
    if not said:
        return ""
    raw = re.sub(rb"\\([()\\])", rb"\1", said[1])
    wide = raw.startswith(b"\xfe\xff")
    return clean_hint(raw.decode("utf-16", errors="replace") if wide else raw.decode("latin-1"))
