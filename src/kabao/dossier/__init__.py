"""What the platform knows of an order and its case, put together: records for the log, receipts, checklist, pack.

Invariants: a record's body is written from what never changes, so that it is the same at any later audit; both
parties get the same lines, previews and digests; no card key, phone number or account number stands in a record.
"""

from kabao.dossier.sources import RowSource, record_sources

__all__ = ["RowSource", "record_sources"]
