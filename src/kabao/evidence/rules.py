"""What is taken as text, as a file name and as a file, decided from the bytes alone."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from kabao.evidence.model import MAX_FILE_NAME_CHARS, TEXT_PREVIEW_BYTES, MediaType
from kabao.kernel import Refusal, Refused

NAMELESS: Final = "未命名"

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_KEPT_CONTROLS: Final = frozenset("\t\n\r")
_MARKUP: Final = re.compile(
    rb"<\s*(?:!doctype|html|head|body|script|iframe|object|embed|svg|\?xml|math)[\s>:/]", re.IGNORECASE
)
_FOREIGN: Final = (b"%PDF-", b"PK\x03\x04", b"PK\x05\x06", b"MZ", b"\x7fELF", b"GIF8", b"Rar!", b"{\\rtf")
_HIDDEN: Final = (b"%PDF-", b"PK\x05\x06")
_SNIFFED: Final = 2048
"""How far into a file browsers look when they guess."""

_LONGEST_ENDING: Final = 10

_JPEG_MARK: Final = 0xFF
_JPEG_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_SCAN: Final = 0xDA
_JPEG_END: Final = 0xD9


def clean_text(text: str, limit: int) -> str | None:
    """Trim what somebody wrote; None where it is empty, longer than `limit` or holds what no text holds (NUL)."""
    trimmed = text.replace("\r\n", "\n").strip()
    if not 0 < len(trimmed) <= limit or any(
        unicodedata.category(letter) in {"Cc", "Cs"} and letter not in _KEPT_CONTROLS for letter in trimmed
    ):
        return None
    return trimmed


def clean_file_name(name: str) -> str:
    """Keep the last part of a name without what cannot be seen (controls, direction marks), at most 120 characters.

    The ending survives a cut. A name with nothing left is `NAMELESS`.
    """
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    seen = "".join(" " if letter.isspace() else letter for letter in last)
    kept = " ".join("".join(c for c in seen if unicodedata.category(c) not in _UNSEEN).split()).strip(". ")
    if len(kept) > MAX_FILE_NAME_CHARS:
        stem, dot, ending = kept.rpartition(".")
        tail = dot + ending if stem and len(ending) <= _LONGEST_ENDING else ""
        kept = kept[: MAX_FILE_NAME_CHARS - len(tail)] + tail
    return kept or NAMELESS


def media_type_of(content: bytes) -> MediaType | Refused:
    """Tell what a file is from its bytes.

    Refuses FILE_EMPTY; FILE_TYPE_UNKNOWN for anything else than PNG, JPEG, WebP and plain UTF-8 text, for markup
    that a browser would run (HTML, SVG, XML), and for a file that is two things at once; FILE_UNREADABLE for an
    image whose parts do not fit together.
    """
    if not content:
        return Refused(Refusal.FILE_EMPTY)
    if content.startswith(_PNG):
        return _checked(MediaType.PNG, content, _png_end(content), may_trail=False)
    if content.startswith(b"\xff\xd8\xff"):
        # Cameras append a film or a depth map to a photograph; that is no second document.
        return _checked(MediaType.JPEG, content, _jpeg_end(content), may_trail=True)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        end = int.from_bytes(content[4:8], "little") + 8
        return _checked(MediaType.WEBP, content, end, may_trail=False)
    return MediaType.TEXT if _is_plain_text(content) else Refused(Refusal.FILE_TYPE_UNKNOWN)


def text_preview(content: bytes) -> bytes:
    """Return the first 20 KB of a text, cut between characters and without a byte order mark."""
    cut = content.removeprefix(b"\xef\xbb\xbf")[:TEXT_PREVIEW_BYTES]
    return cut.decode("utf-8", errors="ignore").encode()


def blob_path(digest: bytes) -> str:
    """Tell where a blob lives in the store: ``sha256/ab/cdef…``."""
    name = digest.hex()
    return f"sha256/{name[:2]}/{name[2:]}"


def _checked(kind: MediaType, content: bytes, end: int | None, *, may_trail: bool) -> MediaType | Refused:
    if end is None or end > len(content):
        return Refused(Refusal.FILE_UNREADABLE)
    trailing = content[end:]
    is_two_things = _MARKUP.search(content[:_SNIFFED]) is not None or (
        bool(trailing)
        and (not may_trail or _MARKUP.search(trailing) is not None or any(mark in trailing for mark in _HIDDEN))
    )
    return Refused(Refusal.FILE_TYPE_UNKNOWN) if is_two_things else kind


def _png_end(content: bytes) -> int | None:
    """Walk the chunks to the one that ends the image."""
    at = len(_PNG)
    while at + 12 <= len(content):
        size, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        at += 12 + size
        if name == b"IEND":
            return at
    return None


def _jpeg_end(content: bytes) -> int | None:
    """Walk the segments, stepping over the coded picture, to the marker that ends the image."""
    at = 2
    for marker in _jpeg_markers(content):
        at, code = marker
        if code == _JPEG_END:
            return at + 2
    return None


def _jpeg_markers(content: bytes) -> Iterator[tuple[int, int]]:
    at = 2
    while 0 <= at < len(content) - 1:
        code = content[at + 1]
        if content[at] != _JPEG_MARK:
            return
        yield at, code
        if code == _JPEG_MARK:
            at += 1
        elif code in _JPEG_BARE:
            at += 2
        else:
            at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
            if code == _JPEG_SCAN:
                at = _after_scan(content, at)


def _after_scan(content: bytes, at: int) -> int:
    """Find the next marker that is neither a stuffed byte nor a restart; -1 where the data ends before."""
    while (at := content.find(b"\xff", at)) >= 0 and at + 1 < len(content):
        if content[at + 1] not in {0x00, *_JPEG_BARE}:
            return at
        at += 2
    return -1


def _is_plain_text(content: bytes) -> bool:
    if content.startswith(_FOREIGN) or _MARKUP.search(content) is not None:
        return False
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(letter < " " and letter not in _KEPT_CONTROLS for letter in text)
