"""What the platform knows of an order and its case, put together: records for the log, receipts, checklist, pack.

Invariants: a record's body is written from what never changes, so that it is the same at any later audit; both
parties get the same lines, previews and digests; no card key, phone number or account number stands in a record; an
original goes only to who gave it and to staff; a pack is one snapshot and says what it could not wait for.
"""

from kabao.dossier.checklist import Checklist, Element, FactLine, Gathered, checklist
from kabao.dossier.erasing import EraseService
from kabao.dossier.exporting import ExportService, MadePack, Waits
from kabao.dossier.gathering import ChecklistService
from kabao.dossier.receipts import Receipt, ReceiptFile, Receipts, ReceiptService
from kabao.dossier.ruling import RulingCard, RulingFile, RulingService, RulingShown
from kabao.dossier.sheet import RulingSheet, RulingState
from kabao.dossier.sources import RowSource, record_sources
from kabao.dossier.stamping import CheckpointStamper

__all__ = [
    "Checklist",
    "ChecklistService",
    "CheckpointStamper",
    "Element",
    "EraseService",
    "ExportService",
    "FactLine",
    "Gathered",
    "MadePack",
    "Receipt",
    "ReceiptFile",
    "ReceiptService",
    "Receipts",
    "RowSource",
    "RulingCard",
    "RulingFile",
    "RulingService",
    "RulingSheet",
    "RulingShown",
    "RulingState",
    "Waits",
    "checklist",
    "record_sources",
]
