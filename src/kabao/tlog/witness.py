"""Asks witnesses to cosign the newest checkpoint (c2sp.org/tlog-witness), so that no second history can be shown.

A witness that is dead, slow or lying holds up nothing: its trouble is kept for the page, and it is asked again, ever
more rarely. Only its own signature, which is checked here, is stored.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec
import structlog

from kabao.kernel import Clock
from kabao.postgres import Database, ExplainedError
from kabao.tlog import store
from kabao.tlog.model import Checkpoint
from kabao.tlog.notes import (
    COSIGNATURE,
    NoteMalformedError,
    VerifierKey,
    cosigned_at,
    parse_decimal,
    parse_note,
    parse_signatures,
    to_base64,
)
from kabao.tlog.ports import WitnessAnswer, WitnessPost, WitnessUnreachable
from kabao.tlog.service import TransparencyLog

MAX_WITNESSES: Final = 16
FIRST_PAUSE: Final = 10.0
LONGEST_PAUSE: Final = 3600.0
SIZE_TYPE: Final = "text/x.tlog.size"
LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_OK: Final = 200
_CONFLICT: Final = 409

log = structlog.get_logger("kabao.tlog")


class WitnessesRefused(ExplainedError):  # noqa: N818  a refusal, in the project's own word
    """The list of witnesses cannot be read."""


class Witness(NamedTuple):
    """A witness: its cosignature key and the address below which `add-checkpoint` lies."""

    key: VerifierKey
    url: str


class WitnessStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How a witness stands: the largest tree it has cosigned and when, and what went wrong since, in English."""

    name: str
    url: str
    size: int | None
    at: datetime | None
    trouble: str


class _Trouble(NamedTuple):
    why: str
    failures: int
    asked_again_at: float


def read_witnesses(text: str) -> list[Witness]:
    """Read `verifier-key url`, several of them separated by semicolons; raises WitnessesRefused.

    The key is of kind 0x04; the address is https, or http on this very machine.
    """
    found: list[Witness] = []
    for number, part in enumerate(filter(None, map(str.strip, text.split(";"))), start=1):
        key_text, _, url = part.partition(" ")
        try:
            witness = Witness(VerifierKey.parse(key_text), _address(url.strip()))
        except ValueError as error:
            raise _refused(number, str(error)) from None
        if witness.key.kind != COSIGNATURE:
            raise _refused(number, "the key is not of the kind that cosigns (0x04)")
        if witness.key.text in {one.key.text for one in found} or number > MAX_WITNESSES:
            raise _refused(number, f"it stands there twice, or there are more than {MAX_WITNESSES}")
        found.append(witness)
    return found


def write_request(old: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """Write the body of `add-checkpoint`: the size the witness knows, the consistency proof, the checkpoint."""
    return "\n".join([f"old {old}", *map(to_base64, proof), "", ""]).encode() + note


class WitnessService:
    """Submits checkpoints to witnesses. `monotonic` is the machine's clock, for pauses alone."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        transparency: TransparencyLog,
        witnesses: Sequence[Witness],
        post: WitnessPost,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._clock = clock
        self._log = transparency
        self._witnesses = list(witnesses)
        self._post = post
        self._monotonic = monotonic
        self._troubles: dict[str, _Trouble] = {}

    async def run(self) -> int:
        """Ask every witness that has not cosigned the newest checkpoint; returns how many did."""
        if not self._witnesses:
            return 0
        head = await self._log.head()
        if not head.size:
            return 0
        return sum(await asyncio.gather(*(self._ask(witness, head) for witness in self._witnesses)))

    async def standings(self) -> list[WitnessStanding]:
        """Tell how each witness stands."""
        found: list[WitnessStanding] = []
        async with self._database.connection() as conn:
            for witness in self._witnesses:
                last = await store.last_cosigned(conn, witness.key.text)
                trouble = self._troubles.get(witness.key.text)
                found.append(
                    WitnessStanding(
                        name=witness.key.name,
                        url=witness.url,
                        size=None if last is None else last[0],
                        at=None if last is None else last[1],
                        trouble="" if trouble is None else trouble.why,
                    )
                )
        return found

    async def _ask(self, witness: Witness, head: Checkpoint) -> bool:
        known = self._troubles.get(witness.key.text)
        if known is not None and self._monotonic() < known.asked_again_at:
            return False
        async with self._database.connection() as conn:
            last = await store.last_cosigned(conn, witness.key.text)
        old = 0 if last is None else last[0]
        if old >= head.size:
            return False
        try:
            line = await self._submit(witness, head, old)
        except WitnessUnreachable as why:
            failures = 1 if known is None else known.failures + 1
            pause = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 20), LONGEST_PAUSE)
            self._troubles[witness.key.text] = _Trouble(str(why), failures, self._monotonic() + pause)
            log.warning("a witness did not cosign", witness=witness.key.name, why=str(why))
            return False
        self._troubles.pop(witness.key.text, None)
        async with self._database.connection() as conn:
            await store.add_cosignature(conn, head.size, witness.key.text, line, self._clock.instant())
        return True

    async def _submit(self, witness: Witness, head: Checkpoint, old: int) -> bytes:
        """Return the witness's line under a checkpoint; raises WitnessUnreachable for whatever else it says."""
        answer = await self._send(witness, head, old)
        if answer.status == _CONFLICT and answer.content_type == SIZE_TYPE:
            knows = parse_decimal(answer.body.decode("ascii", "replace").removesuffix("\n"))
            if knows is None or knows > head.size:
                raise WitnessUnreachable("it says it has cosigned a larger tree than this log has")
            answer = await self._send(witness, head, knows)
        if answer.status != _OK:
            raise WitnessUnreachable(f"it answered {answer.status}")
        try:
            signatures = parse_signatures(answer.body)
        except NoteMalformedError as error:
            raise WitnessUnreachable("its answer holds no signature lines") from error
        text = parse_note(head.note).text
        mine = next((one for one in signatures if cosigned_at(text, one, witness.key) is not None), None)
        if mine is None:
            raise WitnessUnreachable("its answer holds no cosignature of its own over this checkpoint")
        return mine.line

    async def _send(self, witness: Witness, head: Checkpoint, old: int) -> WitnessAnswer:
        proof = await self._log.consistency(old, head.size)
        return await self._post(f"{witness.url}/add-checkpoint", write_request(old, proof, head.note))


def _address(text: str) -> str:
    url = urlsplit(text)
    is_local = url.scheme == "http" and url.hostname in LOCAL_HOSTS
    if not url.hostname or not (url.scheme == "https" or is_local) or url.query or url.fragment or "@" in url.netloc:
        raise ValueError("the address is not https (or http on this machine)")
    _ = url.port  # raises ValueError for what is no port
    return text.rstrip("/")


def _refused(number: int, why: str) -> WitnessesRefused:
    return WitnessesRefused(
        zh=f"见证者名单第 {number} 项读不懂：{why}。每项写“验证密钥 地址”，用分号隔开。",
        en=f"Witness {number} of the list cannot be read: {why}. Write `verifier-key url`, separated by semicolons.",
    )
