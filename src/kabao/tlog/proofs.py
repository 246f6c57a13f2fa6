"""The proof people take away (c2sp.org/tlog-proof@v1): where an entry stands, and the checkpoint it stands under."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from kabao.tlog.merkle import HASH_BYTES
from kabao.tlog.notes import MAX_NOTE, NoteMalformedError, from_base64, parse_decimal, parse_note, to_base64

HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_STEPS: Final = 63


class LogProof(NamedTuple):
    """A proof taken apart; `extra` is None where there is no such line."""

    extra: bytes | None
    position: int
    steps: list[bytes]
    note: bytes


def write_proof(position: int, steps: Sequence[bytes], note: bytes, extra: bytes | None = None) -> bytes:
    """Write a proof; `extra` carries what is needed beside it and proves nothing by itself."""
    lines = [HEADER, *([] if extra is None else [f"extra {to_base64(extra)}"]), f"index {position}"]
    return "\n".join([*lines, *map(to_base64, steps), "", ""]).encode() + note


def parse_proof(raw: bytes) -> LogProof:
    """Read a proof; raises NoteMalformedError. Whether it holds is for `is_included` and `open_note` to say."""
    head, blank, note = raw.partition(b"\n\n")
    try:
        lines = head.decode().split("\n")[::-1]
    except UnicodeDecodeError as error:
        raise NoteMalformedError("the proof is not UTF-8") from error
    if not blank or len(raw) > MAX_NOTE or lines.pop() != HEADER:
        raise NoteMalformedError("that is not a proof of this kind")
    parse_note(note)
    extra = from_base64(lines.pop().removeprefix("extra ")) if lines and lines[-1].startswith("extra ") else None
    position = parse_decimal(lines.pop().removeprefix("index ")) if lines and lines[-1].startswith("index ") else None
    steps = [from_base64(line) for line in reversed(lines)]
    if position is None or len(steps) > MAX_STEPS or any(len(step) != HASH_BYTES for step in steps):
        raise NoteMalformedError("the proof's index or hashes are not written as they should be")
    return LogProof(extra, position, steps, note)
