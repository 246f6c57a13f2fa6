"""The conversation and the files of an order, kept as evidence from the start.

Invariants: a message or item is never changed, and removed only when its time is over or a person's right demands it,
leaving a tombstone; a file is stored byte for byte under its SHA-256 and is durable before its row exists, so that a
crash leaves at most a blob nobody points at; what a file is, is told from its content; previews are re-encoded without
metadata, the same for everybody; originals go only to who gave them and to staff. Abusive words of a
party are masked before they are kept, so that the page, the log and every pack say the same; what was written stays for
staff. Whether somebody may see an order at all is decided by the caller.
"""

from kabao.evidence.abuse import mask_abuse
from kabao.evidence.blobs import BlobDamaged, Blobs, StorageFull
from kabao.evidence.keeping import KeepingService, Purged
from kabao.evidence.model import (
    CHUNK_BYTES,
    MAX_FILE_BYTES,
    MAX_FILES_PER_SIDE,
    MAX_MESSAGE_CHARS,
    AuthorRole,
    Chunk,
    FileBody,
    Gap,
    Giver,
    Hints,
    Item,
    ItemKind,
    Mark,
    Mask,
    MediaFacts,
    MediaType,
    Message,
    Original,
    RecordingEnd,
    SealedFile,
    Upload,
    UploadState,
    UploadView,
)
from kabao.evidence.rules import clean_text, content_digest, gaps_of, hint_sentences
from kabao.evidence.service import EvidenceService
from kabao.evidence.uploads import UploadService

__all__ = [
    "CHUNK_BYTES",
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
    "Giver",
    "Hints",
    "Item",
    "ItemKind",
    "KeepingService",
    "Mark",
    "Mask",
    "MediaFacts",
    "MediaType",
    "Message",
    "Original",
    "Purged",
    "RecordingEnd",
    "SealedFile",
    "StorageFull",
    "Upload",
    "UploadService",
    "UploadState",
    "UploadView",
    "clean_text",
    "content_digest",
    "gaps_of",
    "hint_sentences",
    "mask_abuse",
]
