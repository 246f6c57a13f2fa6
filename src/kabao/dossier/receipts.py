"""Receipts: for each record of an order the proof that the public log holds it, to look at, to keep, and by mail."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from kabao.dossier import store
from kabao.dossier.access import Cases, Orders, reach
from kabao.dossier.ports import Log, Post
from kabao.dossier.words import KINDS, moment, record_text
from kabao.identity import Person
from kabao.kernel import Refusal, Refused, format_ref
from kabao.notices.model import Attachment
from kabao.postgres import Connection, Database
from kabao.tlog import StoredRecord

MAILED_KINDS: Final = frozenset({"item", "case_event"})
"""What is worth a letter: what was handed in, and each step of a case. Everything else is on the site."""
MAILED_AT_ONCE: Final = 500
PROOFS_A_LETTER: Final = 10
MAILED_WITHIN: Final = timedelta(days=1)


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """One record as its parties see it; `is_erased` where its content is gone and its place stays."""

    record_id: int
    kind: str
    kind_label: str
    text: str
    at: datetime
    commitment: str
    is_erased: bool


class Receipts(msgspec.Struct, frozen=True, kw_only=True):
    """What the log holds of an order; `waiting` counts what it has not taken yet."""

    order_ref: str
    title: str
    receipts: list[Receipt]
    waiting: int
    size: int
    log_key: str


class ReceiptFile(msgspec.Struct, frozen=True, kw_only=True):
    """A proof or a record's body, to be saved."""

    name: str
    content: bytes


class ReceiptService:
    """Shows and hands out the receipts of an order to those it concerns."""

    def __init__(self, *, database: Database, orders: Orders, cases: Cases, log: Log, post: Post, origin: str) -> None:
        self._database = database
        self._orders = orders
        self._cases = cases
        self._log = log
        self._post = post
        self._origin = origin

    async def receipts(self, person: Person, ref: str) -> Receipts | Refused:
        """List every record of an order, oldest first; NOT_FOUND for a stranger."""
        reached = await reach(self._orders, self._cases, person, ref)
        if isinstance(reached, Refused):
            return reached
        order = reached.order
        head = await self._log.head()
        async with self._database.transaction(isolation="repeatable_read", readonly=True) as conn:
            records = await store.records(conn, order.shop_id, order.order_id)
            waiting = await store.waiting(conn, order.shop_id, order.order_id)
        signed = [record for record in records if record.position < head.size]
        return Receipts(
            order_ref=order.ref,
            title=order.title,
            receipts=[_receipt(record) for record in signed],
            waiting=waiting + len(records) - len(signed),
            size=head.size,
            log_key=self._log.verifier_key,
        )

    async def proof(self, person: Person, ref: str, record_id: int) -> ReceiptFile | Refused:
        """Return the proof of a record under the newest checkpoint; NOT_FOUND, also while it is not logged."""
        found = await self._record(person, ref, record_id)
        if isinstance(found, Refused):
            return found
        head = await self._log.head()
        if found.position >= head.size:
            return Refused(Refusal.NOT_FOUND)
        return ReceiptFile(name=_name(found, "tlog-proof"), content=await self._log.proof(found.position, head.size))

    async def body(self, person: Person, ref: str, record_id: int) -> ReceiptFile | Refused:
        """Return a record's body, exactly the bytes that were logged; NOT_FOUND, also once it is erased."""
        found = await self._record(person, ref, record_id)
        if isinstance(found, Refused):
            return found
        if found.body is None:
            return Refused(Refusal.NOT_FOUND)
        return ReceiptFile(name=_name(found, "json"), content=found.body)

    async def mail(self) -> int:
        """Send the parties the receipts that are new since the last time; returns how many records were passed.

        Records of what happened long ago, as when a market comes under the log that traded before, go to nobody. The
        mark moves in the transaction that queues the letters, so that nothing is queued twice or left out.
        """
        head = await self._log.head()
        async with self._database.transaction() as conn:
            first = await store.lock_mailed(conn)
            if first is None or first >= head.size:
                return 0
            end = min(head.size, first + MAILED_AT_ONCE)
            records = await store.to_mail(conn, first, end)
            recent = [record for record in records if record.at >= head.signed_at - MAILED_WITHIN]
            for (shop_id, order_id), mine in _by_order(recent).items():
                await self._mail_order(conn, shop_id, order_id, mine, head.size)
            await store.set_mailed(conn, end)
            return end - first

    async def _mail_order(
        self, conn: Connection, shop_id: int, order_id: int, records: Sequence[StoredRecord], size: int
    ) -> None:
        parties = await store.parties(conn, shop_id, order_id)
        ref = format_ref(shop_id, order_id)
        for at in range(0, len(records), PROOFS_A_LETTER):
            some = records[at : at + PROOFS_A_LETTER]
            text = _letter(ref, parties.title, some, f"{self._origin}/o/{ref}/receipts", self._log.verifier_key)
            proofs = [
                Attachment(_name(record, "tlog-proof"), await self._log.proof(record.position, size)) for record in some
            ]
            for account_id in (parties.buyer_id, parties.owner_id):
                subject = f"「{parties.title}」的证据回执，{len(some)} 条"
                await self._post.queue(conn, account_id, "receipt", subject, text, proofs)

    async def _record(self, person: Person, ref: str, record_id: int) -> StoredRecord | Refused:
        reached = await reach(self._orders, self._cases, person, ref)
        if isinstance(reached, Refused):
            return reached
        async with self._database.connection() as conn:
            found = await store.record(conn, reached.order.shop_id, reached.order.order_id, record_id)
        return Refused(Refusal.NOT_FOUND) if found is None else found


def _receipt(record: StoredRecord) -> Receipt:
    return Receipt(
        record_id=record.record_id,
        kind=record.kind,
        kind_label=KINDS[record.kind],
        text=record_text(record.kind, record.body),
        at=record.at,
        commitment=record.commitment.hex(),
        is_erased=record.body is None,
    )


def _by_order(records: Sequence[StoredRecord]) -> dict[tuple[int, int], list[StoredRecord]]:
    found: dict[tuple[int, int], list[StoredRecord]] = {}
    for record in records:
        if record.kind in MAILED_KINDS and record.body is not None:
            found.setdefault((record.shop_id, record.order_id), []).append(record)
    return found


def _letter(ref: str, title: str, records: Sequence[StoredRecord], link: str, key: str) -> str:
    lines = [f"{moment(record.at)}  {record_text(record.kind, record.body)}" for record in records]
    return "\n".join(
        [
            f"订单 {ref}「{title}」有新的记录写进了公开日志：",
            "",
            *lines,
            "",
            "附件是每条记录的证明，请留着：以后不靠本站，也能核对这条记录当时就在日志里、没有改过。",
            f"日志的公钥：{key}",
            f"查看全部回执：{link}",
        ]
    )


def _name(record: StoredRecord, ending: str) -> str:
    return f"{record.record_id}.{ending}"
