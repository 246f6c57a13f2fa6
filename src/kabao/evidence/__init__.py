"""The conversation and the files of an order, kept as evidence from the start.

Invariants: a message or file is never changed or removed; a file is stored byte for byte under its SHA-256 and is
durable before its row exists, so that a crash leaves at most a blob nobody points at; what a file is, is told from
its content; previews are re-encoded without metadata; originals go only to who gave them and to staff. Whether
somebody may see an order at all is decided by the caller.
"""

from kabao.evidence.blobs import BlobDamaged, Blobs, StorageFull
from kabao.evidence.model import (
    MAX_FILE_BYTES,
    MAX_FILES_PER_SIDE,
    MAX_MESSAGE_CHARS,
    AuthorRole,
    Chunk,
    FileBody,
    Gap,
    Hints,
    Item,
    ItemKind,
    Mask,
    MediaFacts,
    MediaType,
    Message,
    RecordingEnd,
)
from kabao.evidence.rules import clean_text
from kabao.evidence.service import EvidenceService

__all__ = [
    "MAX_FILES_PER_SIDE",
    "MAX_FILE_BYTES",
    "MAX_MESSAGE_CHARS",
    "AuthorRole",
    "BlobDamaged",
    "Blobs",
    "Chunk",
    "EvidenceService",
    "FileBody",
    "Gap",
    "Hints",
    "Item",
    "ItemKind",
    "Mask",
    "MediaFacts",
    "MediaType",
    "Message",
    "RecordingEnd",
    "StorageFull",
    "clean_text",
]
