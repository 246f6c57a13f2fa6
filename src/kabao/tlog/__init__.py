"""The public log: salted commitments of what happened, in the order they were sequenced, that nobody can rewrite.

Invariants: a leaf is a commitment and never the record itself; positions have no gap; a checkpoint is signed only
after everything under it is durable; business transactions never wait for the log.
"""

from kabao.tlog.model import Census, Checkpoint, Draft, StoredRecord
from kabao.tlog.ports import Source

__all__ = ["Census", "Checkpoint", "Draft", "Source", "StoredRecord"]
