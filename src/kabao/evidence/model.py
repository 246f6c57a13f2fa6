"""What is said and handed in about an order: messages, files, links, recordings. Nothing here is read or written."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

MIB: Final = 1024 * 1024
CHUNK_BYTES: Final = 4 * MIB
MAX_FILES_PER_SIDE: Final = 40
MAX_BYTES_PER_SIDE: Final = 2048 * MIB
UNPAID_BYTES_PER_SIDE: Final = 10 * MIB
"""Until an order is paid for, anyone could place one to fill the disk with."""
MAX_BYTES_PER_DAY: Final = 4096 * MIB
"""What one account hands in within 24 hours, over all its orders, with what is still under way."""
SAID_A_DAY: Final = 60
"""Messages of one side in one order within 24 hours; files and steps are not counted."""
MAX_MESSAGE_CHARS: Final = 2000
MAX_FILE_NAME_CHARS: Final = 120
MAX_LINK_CHARS: Final = 2000
TEXT_PREVIEW_BYTES: Final = 20 * 1024
PREVIEW_PIXELS: Final = 1600
"""The longer side of an image's preview."""
PER_MILLE: Final = 1000
MAX_MARKS: Final = 100
"""Rectangles in one picture, over all the times it was blacked out."""
MAX_MASKS: Final = 50
"""How often one preview may be blacked out; the table holds to the same."""
MAX_HINT_CHARS: Final = 80


class AuthorRole(StrEnum):
    """In which role somebody spoke or handed something in."""

    BUYER = "buyer"
    MERCHANT = "merchant"
    SUPPORT = "support"


class ItemKind(StrEnum):
    """How something came: a file, a web address kept as words, a recording made on the page."""

    FILE = "file"
    LINK = "link"
    RECORDING = "recording"


class MediaType(StrEnum):
    """What is taken, as told from the content and never from the name."""

    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"
    GIF = "image/gif"
    AVIF = "image/avif"
    MP4 = "video/mp4"
    QUICKTIME = "video/quicktime"
    WEBM = "video/webm"
    MP3 = "audio/mpeg"
    OGG = "audio/ogg"
    M4A = "audio/mp4"
    PDF = "application/pdf"
    TEXT = "text/plain"
    LINK = "text/uri-list"

    @property
    def family(self) -> str:
        """The word before the slash."""
        return self.value.partition("/")[0]


LIMITS: Final[dict[MediaType, int]] = {
    MediaType.PNG: 25 * MIB,
    MediaType.JPEG: 25 * MIB,
    MediaType.WEBP: 25 * MIB,
    MediaType.GIF: 25 * MIB,
    MediaType.AVIF: 25 * MIB,
    MediaType.MP4: 1024 * MIB,
    MediaType.QUICKTIME: 1024 * MIB,
    MediaType.WEBM: 1024 * MIB,
    MediaType.MP3: 100 * MIB,
    MediaType.OGG: 100 * MIB,
    MediaType.M4A: 100 * MIB,
    MediaType.PDF: 50 * MIB,
    MediaType.TEXT: 5 * MIB,
    MediaType.LINK: 4 * MAX_LINK_CHARS,
}
"""The most bytes of one file of each kind."""
MAX_FILE_BYTES: Final = max(LIMITS.values())
"""The most bytes of any file, and of a recording."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One thing said in an order's conversation; `digest` (SHA-256) covers author role, body and time."""

    message_id: int
    author_id: int
    author_role: AuthorRole
    body: str
    digest: bytes
    at: datetime


class Hints(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a file says of itself. Anyone can write anything there, so it is shown as the file's word, never ours.

    `made_at` and `changed_at` are times as the file writes them, ``2026-11-23 14:02:05`` with an offset where it
    gives one; `traces` are words of `TRACES`.
    """

    made_at: str = ""
    changed_at: str = ""
    device: str = ""
    software: str = ""
    traces: list[str] = []
    has_location: bool = False


class MediaFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was measured in a file: pixels, length in milliseconds, codecs as the container names them; 0 unknown."""

    width: int = 0
    height: int = 0
    millis: int = 0
    codecs: list[str] = []


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A rectangle blacked out in a picture, in thousandths of its upright width and height."""

    left: int
    top: int
    right: int
    bottom: int


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of an upload as it came; `seq` counts from 1; `head` is the chain after it (recordings only)."""

    seq: int
    digest: bytes
    byte_size: int
    received_at: datetime
    head: bytes | None = None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A pause in a recording's arrival before chunk `seq`."""

    seq: int
    millis: int


class RecordingEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a recording stands: what it was opened with, the end of its chain, and when it was received.

    `not_before` is the log's checkpoint note it was opened with (empty where there was no log), `head` the chain's
    last link in hex; `is_cut` where the recorder never closed it and it was closed with what had arrived.
    """

    not_before: str
    head: str
    chunks: int
    opened_at: datetime
    closed_at: datetime
    is_cut: bool


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing handed in, kept byte for byte; `item_no` counts from 1 within the order ("证据 3").

    `digest` is the SHA-256 of the original (of a link: of its words in UTF-8); `preview_digest` that of what
    everybody sees now, None where there is no such file (a text nobody blacked out is shown from its original; PDFs,
    video and sound have facts instead of a preview). `masks` counts how often the preview was blacked out, last by
    `mask_id` at `masked_at`. `erased_at` is set where the bytes are gone and only the record stays.
    """

    item_id: int
    item_no: int
    case_id: int | None
    kind: ItemKind = ItemKind.FILE
    file_name: str
    media_type: MediaType
    byte_size: int
    digest: bytes
    preview_digest: bytes | None
    given_by: int
    given_role: AuthorRole
    at: datetime
    link: str = ""
    hints: Hints = Hints()
    facts: MediaFacts = MediaFacts()
    recording: RecordingEnd | None = None
    masks: int = 0
    mask_id: int | None = None
    masked_at: datetime | None = None
    erased_at: datetime | None = None

    @property
    def is_image(self) -> bool:
        """Whether the preview is a picture."""
        return self.media_type.family == "image"

    @property
    def is_playable(self) -> bool:
        """Whether who may have the original can play it on the page."""
        return self.media_type.family in {"video", "audio"}


class UploadState(StrEnum):
    """Where an upload stands."""

    OPEN = "open"
    FINISHED = "finished"
    ABANDONED = "abandoned"


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file or recording on its way; `byte_size` is what a file will have, and the most a recording may have."""

    upload_id: int
    case_id: int | None
    kind: ItemKind
    file_name: str
    byte_size: int
    chunk_bytes: int
    not_before: bytes
    given_by: int
    given_role: AuthorRole
    opened_at: datetime
    state: UploadState
    item_id: int | None = None


class Giver(msgspec.Struct, frozen=True, kw_only=True):
    """Who hands something in, in which role, to which order, and within which case if any."""

    shop_id: int
    order_id: int
    case_id: int | None
    account_id: int
    role: AuthorRole


class UploadView(msgspec.Struct, frozen=True, kw_only=True):
    """An upload with what has arrived of it, in order."""

    upload: Upload
    chunks: list[Chunk]


class Mask(msgspec.Struct, frozen=True, kw_only=True):
    """One time a preview was blacked out: by whom, what came out, and where in a picture."""

    mask_no: int
    item_id: int
    preview_digest: bytes
    marks: list[Mark]
    by_id: int
    at: datetime


class FileBody(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes to serve, and as what; always with `nosniff`."""

    file_name: str
    media_type: str
    content: bytes
    digest: bytes


class SealedFile(msgspec.Struct, frozen=True, kw_only=True):
    """An original that somebody may have; its bytes are read by `Items.read`, piece by piece."""

    file_name: str
    media_type: MediaType
    byte_size: int
    digest: bytes


class Original(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wrote where both sides read it with abusive words masked; for staff alone."""

    original_id: int
    author_role: AuthorRole
    body: str
    masked: str
    at: datetime
