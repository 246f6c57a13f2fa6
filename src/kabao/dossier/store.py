"""Runs the SQL of the record sources, and turns rows into the values records are written from."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from asyncpg import Record

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
from kabao.kernel import format_ref
from kabao.postgres import Connection, load_queries
from kabao.tlog import Census

_SQL: Final = load_queries("kabao.dossier")


class Key(NamedTuple):
    """Where a business row stands: its shop, order, and number within source and order."""

    shop_id: int
    order_id: int
    source_id: int


class Found(NamedTuple):
    """A row that exists: its key, its mark, and what its record is written from."""

    key: Key
    position: int | None
    row: Row


class SourceQueries(NamedTuple):
    """The queries of one source by the word they begin with, and how one of its rows is read."""

    word: str
    read: Callable[[Record], Row]


async def due(conn: Connection, of: SourceQueries, limit: int) -> list[Key]:
    """Lock the oldest rows that wait for the log, skipping those another holds."""
    rows = await conn.fetch(_SQL[f"{of.word}_due"], limit)
    return [Key(row["shop_id"], row["order_id"], row["source_id"]) for row in rows]


async def found(conn: Connection, of: SourceQueries, keys: Sequence[Key]) -> list[Found | None]:
    """Read rows by key, in the order asked for; None where there is no such row."""
    answers: list[Found | None] = [None] * len(keys)
    for row in await conn.fetch(_SQL[of.word], *_columns(keys)):
        key = Key(row["shop_id"], row["order_id"], row["source_id"])
        answers[row["n"] - 1] = Found(key, row["log_position"], of.read(row))
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
        placed = PlacedFacts(
            listing_ref=format_ref(row["shop_id"], row["listing_id"]),
            snapshot_no=row["snapshot_no"],
            snapshot_digest=row["snapshot_digest"],
            terms=row["terms"] or {},
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
        at=row["at"],
    )


def _masked(row: Record) -> Masked:
    return Masked(
        order_ref=_order_ref(row),
        item_no=row["item_no"],
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
    "order_event": SourceQueries("order_events", _order_step),
    "case_event": SourceQueries("case_events", _case_step),
    "message": SourceQueries("messages", _speech),
    "evidence_item": SourceQueries("items", _handed),
    "evidence_mask": SourceQueries("masks", _masked),
    "case_fact": SourceQueries("facts", _said),
    "record_erasure": SourceQueries("erasures", _erasure),
}
"""Every source of records by the word that stands in the log."""
