"""The evidence pack: a canonical, signed ZIP that anyone can check offline; what goes into one is decided elsewhere.

Invariants: the same content and key give the same bytes; a pack is written whole or not at all; the writer refuses
what its own verifier would; `verify.py` uses the standard library alone and lies, as it is, in every pack.
"""

from kabao.packs.model import (
    Absent,
    PackCheckpoint,
    PackContent,
    PackFile,
    PackItem,
    PackLog,
    PackRecord,
    PackTimestamp,
    Source,
    item_file,
)
from kabao.packs.releases import known_verifiers
from kabao.packs.signer import PackSigner, pem_of
from kabao.packs.verify import Pins, Report, check, pins_of
from kabao.packs.writer import PackRefusedError, write_pack

__all__ = [
    "Absent",
    "PackCheckpoint",
    "PackContent",
    "PackFile",
    "PackItem",
    "PackLog",
    "PackRecord",
    "PackRefusedError",
    "PackSigner",
    "PackTimestamp",
    "Pins",
    "Report",
    "Source",
    "check",
    "item_file",
    "known_verifiers",
    "pem_of",
    "pins_of",
    "write_pack",
]
