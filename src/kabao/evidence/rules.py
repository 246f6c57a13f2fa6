"""What is taken as text, as a file name, as a link and as a file; how a recording is chained; what hints say."""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from kabao.evidence.model import (
    MAX_BYTES_PER_DAY,
    MAX_BYTES_PER_SIDE,
    MAX_FILE_NAME_CHARS,
    MAX_FILES_PER_SIDE,
    MAX_HINT_CHARS,
    MAX_LINK_CHARS,
    MAX_MARKS,
    PER_MILLE,
    TEXT_PREVIEW_BYTES,
    UNPAID_BYTES_PER_SIDE,
    Chunk,
    Gap,
    Hints,
    Mark,
    MediaType,
)
from kabao.kernel import Refusal, Refused

NAMELESS: Final = "未命名"

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_KEPT_CONTROLS: Final = frozenset("\t\n\r")
_DIRECTIONS: Final = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the order of letters round, so that an amount or a name reads otherwise than it was kept."""
_MARKUP: Final = re.compile(
    rb"<\s*(?:!doctype|html|head|body|script|iframe|object|embed|svg|\?xml|math)[\s>:/]", re.IGNORECASE
)
_FOREIGN: Final = (b"%PDF-", b"PK\x03\x04", b"PK\x05\x06", b"MZ", b"\x7fELF", b"GIF8", b"Rar!", b"{\\rtf", b"#!")
_HIDDEN: Final = (b"%PDF-", b"PK\x05\x06")
_SNIFFED: Final = 2048
"""How far into a file browsers look when they guess."""

_LONGEST_ENDING: Final = 10

_ZIP_END: Final = b"PK\x05\x06"
ZIP_TAIL: Final = 22 + 65535
"""How far from a file's end the directory of a ZIP archive may stand."""
_PDF_HEAD: Final = 1024
"""How far into a file readers of PDF look for its beginning."""
_PDF_TAIL: Final = 1024
_BRANDS: Final = {
    b"avif": MediaType.AVIF,
    b"avis": MediaType.AVIF,
    b"qt  ": MediaType.QUICKTIME,
    b"M4A ": MediaType.M4A,
    b"M4B ": MediaType.M4A,
} | dict.fromkeys(
    [b"M4V ", *b"isom iso2 iso3 iso4 iso5 iso6 iso7 iso8 iso9 mp41 mp42 avc1 dash M4VP MSNV 3gp4 3gp5 3gp6".split()],
    MediaType.MP4,
)
"""What a file of boxes is by its first four letters; HEIC is none of these, since nothing here can open it."""
_ENDINGS: Final = {
    "image": "png jpg jpeg jfif webp gif avif heic heif bmp tif tiff",
    "moving": "mp4 m4v mov qt 3gp webm mkv mp3 m4a m4b ogg oga opus wav",
    "pdf": "pdf",
    "text": "txt csv log md json",
    "": "svg html htm xhtml xml mht mhtml js mjs vbs wsf hta bat cmd ps1 sh py php exe dll msi com scr jar apk lnk url "
    "reg zip rar 7z gz tar iso doc docx xls xlsx ppt pptx",
}
_GROUP_OF: Final = {ending: group for group, endings in _ENDINGS.items() for ending in endings.split()}
GAP: Final = timedelta(seconds=15)
"""A longer pause between two chunks of a recording is named."""
TRACES: Final = {
    "photoshop": "带有 Photoshop 留下的记录",
    "history": "带有编辑软件写下的修改记录",
    "comment": "带有注释",
    "updated": "在第一次保存之后又写入过内容",
    "scripts": "带有脚本",
    "attachments": "带有附件",
}
"""What was found in a file that an untouched one seldom has."""

_GIFS: Final = (b"GIF87a", b"GIF89a")
_GIF_PICTURE: Final = 0x2C
_GIF_EXTENSION: Final = 0x21
_GIF_END: Final = 0x3B
_BEGINNINGS: Final = (
    (_PNG, MediaType.PNG),
    (b"\xff\xd8\xff", MediaType.JPEG),
    (b"GIF87a", MediaType.GIF),
    (b"GIF89a", MediaType.GIF),
    (b"\x1aE\xdf\xa3", MediaType.WEBM),
    (b"OggS", MediaType.OGG),
    (b"ID3", MediaType.MP3),
    (b"%PDF-", MediaType.PDF),
)

_JPEG_MARK: Final = 0xFF
_JPEG_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_SCAN: Final = 0xDA
_JPEG_END: Final = 0xD9
_MAX_STEPS: Final = 200_000
"""Parts of one picture that are walked; a real one of 25 MB has far fewer, and each costs time others wait for."""
_MARKER: Final = re.compile(rb"\xff[^\x00\x01\xd0-\xd7]")
"""A marker in a coded picture that is neither a stuffed byte nor a restart."""
_MAX_SCANS: Final = 100
"""Cameras and programs write 10 or so; each costs a pass over the whole picture, however few bytes it has."""


def clean_text(text: str, limit: int) -> str | None:
    """Trim what somebody wrote and drop marks of direction.

    None where it is empty, longer than `limit` or holds what no text holds (NUL).
    """
    trimmed = _DIRECTIONS.sub("", text).replace("\r\n", "\n").strip()
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


def looks_like(head: bytes) -> MediaType | None:
    """Tell from a file's first bytes what it would have to be; None for what is never taken."""
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    for mark, kind in _BEGINNINGS:
        if head.startswith(mark):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return MediaType.WEBP
    if head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE6 == 0xE2:  # noqa: PLR2004  an MP3's frame
        return MediaType.MP3
    # A character may be cut where the beginning ends.
    return MediaType.TEXT if any(_is_plain_text(head[: len(head) - cut]) for cut in range(4)) else None


def is_two_things(head: bytes, tail: bytes, kind: MediaType) -> bool:
    """Tell whether a file that begins as one thing is a second one too.

    `head` are its first 2048 bytes, `tail` its last 65557: markup that a browser would guess at, a PDF behind the
    beginning, or the directory of an archive at the end.
    """
    if _MARKUP.search(head[:_SNIFFED]) is not None:
        return True
    if kind not in {MediaType.PDF, MediaType.TEXT} and b"%PDF-" in head[:_PDF_HEAD]:
        return True
    at = tail.rfind(_ZIP_END)
    # The directory's own comment reaches to the end of the file; anything else is chance.
    return at >= 0 and at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail)


def media_type_of(content: bytes) -> MediaType | Refused:
    """Tell what a picture, a text or a PDF is from its bytes.

    Refuses FILE_EMPTY; FILE_TYPE_UNKNOWN for anything else than PNG, JPEG, WebP, GIF, PDF and plain UTF-8 text, for
    markup that a browser would run (HTML, SVG, XML), and for a file that is two things at once; FILE_UNREADABLE for
    one whose parts do not fit together.
    """
    if not content:
        return Refused(Refusal.FILE_EMPTY)
    looks = looks_like(content[:_SNIFFED])
    end_of = _ENDS.get(looks) if looks else None
    if looks and end_of:
        # Cameras append a film or a depth map to a photograph; that is no second document.
        return _checked(looks, content, end_of(content), may_trail=looks is MediaType.JPEG)
    return MediaType.TEXT if _is_plain_text(content) else Refused(Refusal.FILE_TYPE_UNKNOWN)


def is_named_as(kind: MediaType, file_name: str) -> bool | None:
    """Tell whether a name's ending fits what the file is; None where the ending is of a kind that is never taken.

    A picture may be named as another kind of picture, and sound as a film: devices and chat programs do so.
    """
    stem, dot, ending = file_name.rpartition(".")
    group = _GROUP_OF.get(ending.lower()) if stem and dot else None
    if group is None:
        return True
    if not group:
        return None
    own = {"application": "pdf", "video": "moving", "audio": "moving"}.get(kind.family, kind.family)
    return group == own


def clean_link(text: str) -> str | None:
    """Read a web address somebody hands in, kept as it was written; None where it is none (http and https only)."""
    link = text.strip()
    if len(link) > MAX_LINK_CHARS or any(letter.isspace() or not letter.isprintable() for letter in link):
        return None
    try:
        parts = urlsplit(link)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    # Before an @ stands a name or a password; what follows it is where the link really leads.
    return link if parts.scheme in {"http", "https"} and has_host and "@" not in parts.netloc else None


def clean_hint(text: str) -> str:
    """Make what a file says of itself fit to show: one line, visible letters, at most 80."""
    seen = "".join(" " if unicodedata.category(c) in _UNSEEN or c.isspace() else c for c in text[: 10 * MAX_HINT_CHARS])
    return " ".join(seen.split())[:MAX_HINT_CHARS]


def hint_sentences(hints: Hints) -> list[str]:
    """Write hints as sentences that say whose word it is."""
    said = [
        (hints.made_at, f"文件自称拍摄或制作于 {hints.made_at}。"),
        (hints.changed_at, f"文件自称最后修改于 {hints.changed_at}。"),
        (hints.device, f"文件自称由 {hints.device} 拍摄。"),
        (hints.software, f"文件自称由软件 {hints.software} 保存。"),
        (hints.has_location, "原件里带有地点信息，预览中已去掉。"),
    ]
    return [sentence for is_there, sentence in said if is_there] + [
        f"文件{TRACES[trace]}，这不说明内容被改过。" for trace in hints.traces if trace in TRACES
    ]


def content_digest(header: str) -> bytes | None:
    """Read the SHA-256 of a Content-Digest header (RFC 9530); None where there is none."""
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "sha-256" and value.startswith(":") and value.endswith(":"):
            try:
                digest = base64.b64decode(value[1:-1], validate=True)
            except ValueError:
                return None
            return digest if len(digest) == 32 else None  # noqa: PLR2004  SHA-256
    return None


# ---------------------------------------------------------------- recordings


def first_head(not_before: bytes) -> bytes:
    """Begin a recording's chain with the log's checkpoint note it was opened with."""
    return hashlib.sha256(b"kabao-recording/1\n" + not_before).digest()


def next_head(head: bytes, digest: bytes, seq: int) -> bytes:
    """Add chunk `seq` with its SHA-256 to a recording's chain."""
    return hashlib.sha256(head + digest + seq.to_bytes(4, "big")).digest()


def breaks_in_chain(not_before: bytes, chunks: Sequence[Chunk]) -> list[int]:
    """Return the numbers of chunks whose place in the chain does not hold."""
    head, broken = first_head(not_before), []
    for number, chunk in enumerate(chunks, 1):
        head = next_head(head, chunk.digest, number)
        if chunk.seq != number or chunk.head != head:
            broken.append(number)
    return broken


def gaps_of(opened_at: datetime, chunks: Sequence[Chunk]) -> list[Gap]:
    """Name the pauses of more than 15 seconds before a chunk arrived."""
    times = [opened_at, *(chunk.received_at for chunk in chunks)]
    return [
        Gap(seq=chunk.seq, millis=(chunk.received_at - before) // timedelta(milliseconds=1))
        for before, chunk in zip(times, chunks, strict=False)
        if chunk.received_at - before > GAP
    ]


def chunk_size(byte_size: int, chunk_bytes: int, seq: int) -> int:
    """Return how many bytes chunk `seq` of a file must have; 0 where the file has no such chunk."""
    return max(0, min(chunk_bytes, byte_size - (seq - 1) * chunk_bytes))


def room_left(*, is_paid: bool, side_bytes: int, day_bytes: int) -> int:
    """Return how many bytes a side's giver may still hand in; below zero where there is less room than was used."""
    side = MAX_BYTES_PER_SIDE if is_paid else UNPAID_BYTES_PER_SIDE
    return min(side - side_bytes, MAX_BYTES_PER_DAY - day_bytes)


def why_no_room(*, is_paid: bool, files: int, side_bytes: int, day_bytes: int, wanted: int) -> Refused | None:
    """Say which limit one file more of `wanted` bytes would break; None where it has room.

    Refuses TOO_MANY_FILES, FILES_BEFORE_PAYMENT, FILES_TODAY_FULL.
    """
    if files >= MAX_FILES_PER_SIDE or side_bytes + wanted > MAX_BYTES_PER_SIDE:
        return Refused(Refusal.TOO_MANY_FILES)
    if not is_paid and side_bytes + wanted > UNPAID_BYTES_PER_SIDE:
        return Refused(Refusal.FILES_BEFORE_PAYMENT)
    return Refused(Refusal.FILES_TODAY_FULL) if day_bytes + wanted > MAX_BYTES_PER_DAY else None


# ---------------------------------------------------------------- blacking out


def are_marks(marks: Sequence[Mark]) -> bool:
    """Tell whether rectangles lie within a picture and are as many as it may have."""
    return 0 < len(marks) <= MAX_MARKS and all(
        0 <= mark.left < mark.right <= PER_MILLE and 0 <= mark.top < mark.bottom <= PER_MILLE for mark in marks
    )


def black_out(text: str, words: Sequence[str]) -> str:
    """Replace every place where one of the words stands by as many black blocks; longer words go first."""
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, "█" * len(word))
    return text


def text_preview(content: bytes) -> bytes:
    """Return the first 20 KB of a text, cut between characters and without a byte order mark."""
    cut = content.removeprefix(b"\xef\xbb\xbf")[:TEXT_PREVIEW_BYTES]
    return cut.decode("utf-8", errors="ignore").encode()


def chunk_path(place: tuple[int, int, int], seq: int, digest: bytes) -> str:
    """Tell where a chunk of an upload (shop, order, upload) lies: ``uploads/1/2/3/00000004-ab…``."""
    return f"{chunk_folder(place)}/{seq:08d}-{digest.hex()}"


def chunk_folder(place: tuple[int, int, int]) -> str:
    """Tell where the chunks of an upload lie."""
    return "uploads/" + "/".join(str(part) for part in place)


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
    for _ in range(_MAX_STEPS):
        if at + 12 > len(content):
            break
        size, name = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        at += 12 + size
        if name == b"IEND":
            return at
    return None


def _webp_end(content: bytes) -> int:
    return int.from_bytes(content[4:8], "little") + 8


def _pdf_end(content: bytes) -> int | None:
    """Tell that the whole is one document where it ends as one: readers look for that at the end."""
    return len(content) if b"%%EOF" in content[-_PDF_TAIL:] and b"startxref" in content else None


def _gif_end(content: bytes) -> int | None:
    """Walk the blocks to the one that ends the pictures."""
    at, steps = 13 + _palette(content[10:11]), _MAX_STEPS
    while at < len(content) and steps > 0:
        kind = content[at]
        if kind == _GIF_END:
            return at + 1
        if kind == _GIF_PICTURE:
            at, steps = _after_blocks(content, at + 11 + _palette(content[at + 9 : at + 10]), steps)
        elif kind == _GIF_EXTENSION:
            at, steps = _after_blocks(content, at + 2, steps)
        else:
            return None
    return None


def _palette(flags: bytes) -> int:
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _after_blocks(content: bytes, at: int, steps: int) -> tuple[int, int]:
    """Step over a chain of blocks; with it come the steps that are left, none where the chain was too long."""
    while at < len(content) and content[at] and steps > 0:
        at, steps = at + 1 + content[at], steps - 1
    return at + 1, steps - 1


def _jpeg_end(content: bytes) -> int | None:
    """Walk the segments, stepping over the coded picture, to the marker that ends the image."""
    scans = 0
    for count, (at, code) in enumerate(_jpeg_markers(content)):
        scans += code == _JPEG_SCAN
        if scans > _MAX_SCANS or count >= _MAX_STEPS:
            return None
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
    found = _MARKER.search(content, at)
    return found.start() if found else -1


def _is_plain_text(content: bytes) -> bool:
    if content.startswith(_FOREIGN) or _MARKUP.search(content) is not None:
        return False
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(letter < " " and letter not in _KEPT_CONTROLS for letter in text)


_ENDS: Final[dict[MediaType, Callable[[bytes], int | None]]] = {
    MediaType.PNG: _png_end,
    MediaType.JPEG: _jpeg_end,
    MediaType.WEBP: _webp_end,
    MediaType.GIF: _gif_end,
    MediaType.PDF: _pdf_end,
}
"""Finds where a document of each kind ends; None where its parts do not fit together."""
