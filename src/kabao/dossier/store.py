"""Runs the SQL of the record sources, and turns rows into the values records are written from."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from asyncpg import Record

from kabao.cases.ladder.model import Grounds
from kabao.dossier.model import (
    CaseStep,
    ClaimFacts,
    DeliveryFacts,
    Erasure,
    Handed,
    Masked,
    OfferFacts,
    OrderStep,
    PaymentFacts,
    PlacedFacts,
    RevealFacts,
    Row,
    RulingFacts,
    SaidFact,
    Speech,
)
from kabao.kernel import Refusal, Refused, digest_of, format_ref
from kabao.postgres import Connection, load_queries
from kabao.tlog import Census, StoredRecord

_SQL: Final = load_queries("kabao.dossier")


class Key(NamedTuple):
    """Where a business row stands: its shop, order, and number within source and order."""

    shop_id: int
    order_id: int
    source_id: int


class Found(NamedTuple):
    """A row that exists: its key, its mark, what its record is written from, and which rows beside it contradict it."""

    key: Key
    position: int | None
    row: Row
    odds: list[str]


class SourceQueries(NamedTuple):
    """The queries of one source by the word they begin with, and how one of its rows is read."""

    word: str
    read: Callable[[Record], Row]
    odds: Callable[[Record], list[str]] = lambda _: []


async def due(conn: Connection, of: SourceQueries, limit: int) -> list[Key]:
    """Lock the oldest rows that wait for the log, skipping those another holds."""
    rows = await conn.fetch(_SQL[f"{of.word}_due"], limit)
    return [Key(row["shop_id"], row["order_id"], row["source_id"]) for row in rows]


async def found(conn: Connection, of: SourceQueries, keys: Sequence[Key]) -> list[Found | None]:
    """Read rows by key, in the order asked for; None where there is no such row."""
    answers: list[Found | None] = [None] * len(keys)
    for row in await conn.fetch(_SQL[of.word], *_columns(keys)):
        key = Key(row["shop_id"], row["order_id"], row["source_id"])
        answers[row["n"] - 1] = Found(key, row["log_position"], of.read(row), of.odds(row))
    return answers


async def mark(conn: Connection, of: SourceQueries, positions: Sequence[tuple[Key, int]]) -> None:
    """Write where rows stand in the log."""
    columns = _columns([key for key, _ in positions])
    await conn.execute(_SQL[f"{of.word}_mark"], *columns, [position for _, position in positions])


async def census(conn: Connection, of: SourceQueries, before: datetime) -> Census:
    """Count the marked rows and those that wait since before an instant."""
    row = await conn.fetchrow(_SQL[f"{of.word}_census"], before)
    assert row is not None  # noqa: S101  an aggregate always answers a row
    return Census(marked=row["marked"], waiting=row["waiting"], oldest=row["oldest"])


async def erased(conn: Connection, records: Sequence[StoredRecord]) -> set[int]:
    """Return the numbers of those records that a row says were erased."""
    keys = [Key(record.shop_id, record.order_id, record.record_id) for record in records]
    return {row["record_id"] for row in await conn.fetch(_SQL["erased"], *_columns(keys))}


class Parties(NamedTuple):
    """Whose order it is, what was bought, and its newest case."""

    buyer_id: int
    owner_id: int
    title: str
    case_id: int | None


async def records(conn: Connection, shop_id: int, order_id: int) -> list[StoredRecord]:
    """Return what was logged of an order."""
    return [StoredRecord(**dict(row)) for row in await conn.fetch(_SQL["records"], shop_id, order_id)]


async def record(conn: Connection, shop_id: int, order_id: int, record_id: int) -> StoredRecord | None:
    """Return one record of an order."""
    row = await conn.fetchrow(_SQL["record"], shop_id, order_id, record_id)
    return None if row is None else StoredRecord(**dict(row))


async def waiting(conn: Connection, shop_id: int, order_id: int) -> int:
    """Count the rows of an order that the log has not taken yet."""
    count: int = await conn.fetchval(_SQL["waiting"], shop_id, order_id)
    return count


async def parties(conn: Connection, shop_id: int, order_id: int) -> Parties:
    """Return whose order it is; it exists, for a record of it does."""
    row = await conn.fetchrow(_SQL["parties"], shop_id, order_id)
    assert row is not None  # noqa: S101  as said
    return Parties(row["buyer_id"], row["owner_id"], row["title"], row["case_id"])


async def order_of_case(conn: Connection, shop_id: int, case_id: int) -> int | None:
    """Return which order a case is about."""
    order_id: int | None = await conn.fetchval(_SQL["order_of_case"], shop_id, case_id)
    return order_id


async def ruled(conn: Connection, shop_id: int, order_id: int, event_id: int) -> RulingFacts | None:
    """Return the ruling an event of a case stands for."""
    (step,) = await found(conn, SOURCES["case_event"], [Key(shop_id, order_id, event_id)])
    return step.row.ruling if step is not None and isinstance(step.row, CaseStep) else None


async def lock_record(conn: Connection, shop_id: int, order_id: int, record_id: int) -> StoredRecord | Refused:
    """Lock a record that is to be erased; refuses NOT_FOUND, EVIDENCE_ON_HOLD, FILE_ERASED where it was before."""
    row = await conn.fetchrow(_SQL["lock_record"], shop_id, order_id, record_id)
    if row is None:
        return Refused(Refusal.NOT_FOUND)
    if await conn.fetchval(_SQL["is_held"], shop_id, order_id):
        return Refused(Refusal.EVIDENCE_ON_HOLD)
    return Refused(Refusal.FILE_ERASED) if row["body"] is None else StoredRecord(**dict(row))


async def lock_item_record(conn: Connection, shop_id: int, order_id: int, item_id: int) -> StoredRecord | None:
    """Lock the record of an item; None where it is not logged, or erased already."""
    row = await conn.fetchrow(_SQL["lock_item_record"], shop_id, order_id, item_id)
    return None if row is None else StoredRecord(**dict(row))


async def has_weight(conn: Connection, first: int, end: int) -> bool:
    """Tell whether a ruling or the end of a recording stands among some positions."""
    found: bool = await conn.fetchval(_SQL["has_weight"], first, end)
    return found


async def add_erasure(
    conn: Connection, erasure_id: int, erased: StoredRecord, by_id: int, reason: str, at: datetime | None
) -> None:
    """Keep that a record was erased."""
    await conn.execute(
        _SQL["add_erasure"],
        erased.shop_id,
        erased.order_id,
        erasure_id,
        erased.record_id,
        erased.source,
        erased.source_id,
        by_id,
        reason,
        at,
    )


async def erase_words(conn: Connection, erased: StoredRecord, by_id: int, at: datetime | None) -> bool:
    """Take the words out of the row a record was written from; False where it holds none of a person's."""
    row = (erased.shop_id, erased.order_id)
    if erased.source == "evidence_item":
        done: bool = await conn.fetchval(_SQL["erase_item"], *row, erased.source_id, by_id or None, at)
    else:
        await conn.execute(_SQL["erase_original"], *row, erased.source, erased.source_id)
        done = await conn.fetchval(_SQL["erase_words"], *row, erased.source, erased.source_id)
    return done


async def lock_mailed(conn: Connection) -> int | None:
    """Lock the mark up to which receipts were mailed; None while another runner has it."""
    position: int | None = await conn.fetchval(_SQL["lock_mailed"])
    return position


async def to_mail(conn: Connection, first: int, end: int) -> list[StoredRecord]:
    """Return the records from a position on, before another."""
    return [StoredRecord(**dict(row)) for row in await conn.fetch(_SQL["to_mail"], first, end)]


async def set_mailed(conn: Connection, position: int) -> None:
    """Move the mark."""
    await conn.execute(_SQL["set_mailed"], position)


def _columns(keys: Sequence[Key]) -> tuple[list[int], list[int], list[int]]:
    return [key.shop_id for key in keys], [key.order_id for key in keys], [key.source_id for key in keys]


def _order_ref(row: Record) -> str:
    return format_ref(row["shop_id"], row["order_id"])


def _case_ref(row: Record) -> str:
    return format_ref(row["shop_id"], row["case_id"])


def _order_step(row: Record) -> OrderStep:
    kind, payment = row["kind"], row["payment"]
    placed = delivery = None
    if kind == "placed":
        document = row["document"]
        # What was shown and its digest hold together or not at all; zeros are the digest of nothing.
        holds = digest_of(document) == row["snapshot_digest"]
        placed = PlacedFacts(
            listing_ref=format_ref(row["shop_id"], row["listing_id"]),
            snapshot_no=row["snapshot_no"],
            snapshot_digest=row["snapshot_digest"] if holds else bytes(32),
            terms=document.get("terms") or {},
            quantity=row["quantity"],
            unit_minor=row["unit_minor"],
            amount_minor=row["order_minor"],
            currency=row["currency"],
            notices=row["notices"],
        )
    if kind == "delivered":
        delivery = DeliveryFacts(promise_seconds=row["promise_seconds"], keys=row["quantity"])
    return OrderStep(
        order_ref=_order_ref(row),
        kind=kind,
        from_state=row["from_state"],
        to_state=row["to_state"],
        by=row["by"],
        reason=row["reason"],
        amount_minor=row["amount_minor"],
        due_at=row["due_at"],
        at=row["at"],
        placed=placed,
        payment=None if payment is None else PaymentFacts(**payment),
        delivery=delivery,
        reveals=[RevealFacts(**reveal) for reveal in row["reveals"] or []],
    )


def _listing_odds(row: Record) -> list[str]:
    """Name the columns of a snapshot, by which orders were decided, that are not as its document has them."""
    if row["kind"] != "placed":
        return []
    document, ref = row["document"], format_ref(row["shop_id"], row["listing_id"])
    hours = (document.get("terms") or {}).get("escrow_hours")
    said = {
        "title": document.get("title"),
        "price_minor": document.get("price_minor"),
        "currency": document.get("currency"),
        "max_quantity": document.get("max_quantity"),
        "escrow_seconds": None if hours is None else hours * 3600,
        "notice_ids": [notice["notice_id"] for notice in document.get("notices") or []],
    }
    stands = {name: row[name] for name in said} | {"currency": row["listed_currency"]}
    return [
        f"listing_snapshot {ref} {row['snapshot_no']}: {name} is not as its document has it"
        for name, value in said.items()
        if value is not None and value != stands[name]
    ]


def _statement_odds(row: Record) -> list[str]:
    is_other = row["kind"] == "opened" and row["statement"] != row["body"]
    return [f"cases {_case_ref(row)}: statement is not what its opening says"] if is_other else []


def _message_odds(row: Record) -> list[str]:
    parts = [
        "message",
        row["shop_id"],
        row["order_id"],
        row["source_id"],
        row["by"],
        row["text"],
        row["at"].isoformat(),
    ]
    return [] if digest_of(parts) == row["digest"] else [f"message {row['source_id']}: digest is not that of its words"]


def _arrival_odds(row: Record) -> list[str]:
    """Name the upload that is gone, and the chunks of a recording that do not follow the one before."""
    if row["upload_id"] is None:
        return []
    if row["arrived"] is None:
        return [f"evidence_upload {row['upload_id']}: there is no such row"]
    where, end = f"evidence_chunk of upload {row['upload_id']}", row["recording"]
    odds = [f"{where}: chunk {seq} does not follow the one before it" for seq in row["broken"] or []]
    if end is not None and (row["chunks"], (row["last_head"] or b"").hex()) != (end["chunks"], end["head"]):
        odds.append(f"{where}: {row['chunks']} rows, not the {end['chunks']} that it ended with")
    return odds


def _case_step(row: Record) -> CaseStep:
    claim, offer = row["claim"], row["offer"]
    ruling = None
    if row["outcome"] is not None:
        ruling = RulingFacts(
            outcome=row["outcome"],
            refund_minor=row["refund_minor"],
            facts=row["facts"],
            reasons=row["reasons"],
            rulebook=row["rulebook"],
            made_at=row["made_at"],
            stage=row["ruling_stage"],
            shares=None
            if row["share_buyer"] is None
            else (row["share_buyer"], row["share_merchant"], row["share_platform"]),
            dissent=row["dissent"],
            damages_minor=row["damages_minor"],
            grounds=None if row["grounds"] is None else msgspec.convert(row["grounds"], Grounds),
        )
    return CaseStep(
        order_ref=_order_ref(row),
        case_ref=_case_ref(row),
        kind=row["kind"],
        from_stage=row["from_stage"],
        to_stage=row["to_stage"],
        by=row["by"],
        body=row["body"],
        due_at=row["due_at"],
        at=row["at"],
        claim=None if claim is None else ClaimFacts(**claim),
        offer=None if offer is None else OfferFacts(**offer),
        ruling=ruling,
    )


def _speech(row: Record) -> Speech:
    return Speech(order_ref=_order_ref(row), by=row["by"], text=row["text"], at=row["at"])


def _handed(row: Record) -> Handed:
    return Handed(
        order_ref=_order_ref(row),
        case_ref=None if row["case_id"] is None else _case_ref(row),
        item_no=row["item_no"],
        by=row["by"],
        kind=row["kind"],
        file_name=row["file_name"],
        media_type=row["media_type"],
        byte_size=row["byte_size"],
        digest=row["digest"],
        preview_digest=row["preview_digest"],
        link=row["link"],
        hints=row["hints"],
        facts=row["facts"],
        recording=row["recording"],
        arrived=row["arrived"],
        at=row["at"],
    )


def _masked(row: Record) -> Masked:
    return Masked(
        order_ref=_order_ref(row),
        item_no=row["item_no"],
        digest=row["digest"],
        by=row["by"],
        mask_no=row["mask_no"],
        preview_digest=row["preview_digest"],
        marks=row["marks"],
        at=row["at"],
    )


def _said(row: Record) -> SaidFact:
    return SaidFact(
        order_ref=_order_ref(row),
        case_ref=_case_ref(row),
        fact=row["fact"],
        shows=row["shows"],
        kind=row["kind"],
        confidence=row["confidence"],
        by=row["by"],
        item_no=row["item_no"],
        note=row["note"],
        at=row["at"],
    )


def _erasure(row: Record) -> Erasure:
    return Erasure(order_ref=_order_ref(row), record_id=row["record_id"], reason=row["reason"], at=row["at"])


SOURCES: Final[dict[str, SourceQueries]] = {
    "order_event": SourceQueries("order_events", _order_step, _listing_odds),
    "case_event": SourceQueries("case_events", _case_step, _statement_odds),
    "message": SourceQueries("messages", _speech, _message_odds),
    "evidence_item": SourceQueries("items", _handed, _arrival_odds),
    "evidence_mask": SourceQueries("masks", _masked),
    "case_fact": SourceQueries("facts", _said),
    "record_erasure": SourceQueries("erasures", _erasure),
}
"""Every source of records by the word that stands in the log."""
