"""What is said and handed in about an order: messages and files, as plain values. Nothing here is read or written."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

MAX_FILE_BYTES: Final = 10 * 1024 * 1024
MAX_FILES_PER_SIDE: Final = 20
MAX_MESSAGE_CHARS: Final = 2000
MAX_FILE_NAME_CHARS: Final = 120
TEXT_PREVIEW_BYTES: Final = 20 * 1024
PREVIEW_PIXELS: Final = 1600
"""The longer side of an image's preview."""


class AuthorRole(StrEnum):
    """In which role somebody spoke or handed something in."""

    BUYER = "buyer"
    MERCHANT = "merchant"
    SUPPORT = "support"


class MediaType(StrEnum):
    """What is taken, as told from the content and never from the name."""

    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"
    TEXT = "text/plain"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One thing said in an order's conversation; `digest` (SHA-256) covers author role, body and time."""

    message_id: int
    author_id: int
    author_role: AuthorRole
    body: str
    digest: bytes
    at: datetime


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One file handed in, kept byte for byte; `item_no` counts from 1 within the order ("证据 3").

    `digest` is the SHA-256 of the original, `preview_digest` that of the re-encoded image (None for text).
    """

    item_id: int
    item_no: int
    case_id: int | None
    file_name: str
    media_type: MediaType
    byte_size: int
    digest: bytes
    preview_digest: bytes | None
    given_by: int
    given_role: AuthorRole
    at: datetime

    @property
    def is_image(self) -> bool:
        """Whether the preview is a picture."""
        return self.media_type is not MediaType.TEXT


class FileBody(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes to serve, and as what; always with `nosniff`, an original always as an attachment."""

    file_name: str
    media_type: str
    content: bytes
    digest: bytes
