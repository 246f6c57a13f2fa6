"""The public log: salted commitments of what happened, in the order they were sequenced, that nobody can rewrite.

Invariants: a leaf is a commitment and never the record itself; positions have no gap; a checkpoint is signed only
after everything under it is durable; business transactions never wait for the log.

The log has one key and one origin for its whole life: both are fixed at first use, and another is refused. Changing
the key would need a new log beside the old one, which nothing here offers.
"""

from kabao.tlog.audit import LogFinding, LogReport
from kabao.tlog.model import Census, Checkpoint, Draft, StoredRecord, Witnessed
from kabao.tlog.network import HttpWitnessPost
from kabao.tlog.notes import NoteMalformedError, NoteUnsignedError, VerifierKey
from kabao.tlog.ports import Source, WitnessAnswer, WitnessPost, WitnessUnreachable
from kabao.tlog.service import LogDamaged, LogRefused, TransparencyLog, kept_origin
from kabao.tlog.tiles import TileId, TilePath, parse_tile_path
from kabao.tlog.witness import Witness, WitnessesRefused, WitnessService, WitnessStanding, read_witnesses

__all__ = [
    "Census",
    "Checkpoint",
    "Draft",
    "HttpWitnessPost",
    "LogDamaged",
    "LogFinding",
    "LogRefused",
    "LogReport",
    "NoteMalformedError",
    "NoteUnsignedError",
    "Source",
    "StoredRecord",
    "TileId",
    "TilePath",
    "TransparencyLog",
    "VerifierKey",
    "Witness",
    "WitnessAnswer",
    "WitnessPost",
    "WitnessService",
    "WitnessStanding",
    "WitnessUnreachable",
    "Witnessed",
    "WitnessesRefused",
    "kept_origin",
    "parse_tile_path",
    "read_witnesses",
]
