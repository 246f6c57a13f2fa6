"""Runs the SQL of cases and turns rows into values."""

import json
from datetime import datetime
from typing import Any, Final

import msgspec
from asyncpg import Record

from kabao.cases import rules, words
from kabao.cases.claims import CLAIMS
from kabao.cases.facts import Said
from kabao.cases.ladder.model import Award, Pending, RulingStage, Shares, Standing, Windows
from kabao.cases.ladder.rules import first_word_due
from kabao.cases.machine import Stage
from kabao.cases.model import (
    Asked,
    Basis,
    Beside,
    CaseCard,
    CaseState,
    Decision,
    Flood,
    LimitBy,
    OfferState,
    OfferView,
    OpenOffer,
    Outcome,
    Remedy,
    RoseWhy,
    RulingView,
    Side,
    Turn,
)
from kabao.kernel import format_ref
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.cases")
NEWEST: Final = 2**63 - 1


class ToOpen(msgspec.Struct, frozen=True, kw_only=True):
    """An order a case may be opened on, what is held of it, and the instant."""

    shop_id: int
    order_id: int
    buyer_id: int
    owner_id: int
    title: str
    placed_at: datetime
    held_minor: int
    is_held: bool
    has_sealed: bool
    now: datetime

    @property
    def ref(self) -> str:
        """The order's reference."""
        return format_ref(self.shop_id, self.order_id)


class CaseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A case as stored, with its parties, what a decision needs, and the instant it was read at."""

    shop_id: int
    case_id: int
    order_id: int
    buyer_id: int
    owner_id: int
    title: str
    placed_at: datetime
    claim: str
    statement: str
    stage_since: datetime
    closed_at: datetime | None
    rose_why: RoseWhy | None
    limit_by: LimitBy | None
    first_word_at: datetime | None
    state: CaseState
    is_held: bool
    """Whether the custodian still holds the order's money; after the release a claim is met from elsewhere."""
    seated: list[int]
    """Who sits on the panel of the stage the case is in."""
    heard_by: list[int]
    """Who ever sat on a panel of the case or ruled as duty officer."""
    barred: list[int]
    """Who spoke in the order as a party, ruled in an earlier stage or left a seat; in a review, who judged before."""
    now: datetime

    @property
    def ref(self) -> str:
        """The case's reference."""
        return format_ref(self.shop_id, self.case_id)

    @property
    def order_ref(self) -> str:
        """The order's reference."""
        return format_ref(self.shop_id, self.order_id)

    @property
    def asked(self) -> Asked:
        """What the case asks."""
        return Asked(
            ref=self.ref,
            case_id=self.case_id,
            claim=self.claim,
            demand=self.state.demand,
            opened_at=self.state.opened_at,
            answered_at=self.state.answered_at,
            green_minor=self.state.green_minor or 0,
            demand_minor=self.state.demand_minor,
        )

    @property
    def may_stand(self) -> bool:
        """Whether an unanswered claim may stand by itself: a buyer's on held money, where no party wants a person."""
        return self.is_held and self.state.opened_by is Side.BUYER and not self.state.person_asked


class CaseEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a case's history as stored."""

    event_id: int
    kind: str
    from_stage: str | None
    to_stage: str | None
    actor_role: str
    body: str | None
    offer_id: int | None
    due_at: datetime | None
    rulebook_version: str | None
    at: datetime


class ErasureRow(msgspec.Struct, frozen=True, kw_only=True):
    """That a record of the log lost its content for good, and why."""

    erasure_id: int
    record_id: int
    reason: str
    at: datetime


async def order_to_open(conn: Connection, shop_id: int, order_id: int, at: datetime | None) -> ToOpen | None:
    """Return the parties of an order."""
    row = await conn.fetchrow(_SQL.order_to_open, shop_id, order_id, at)
    return None if row is None else msgspec.convert(dict(row), ToOpen)


async def add_case(
    conn: Connection,
    *,
    shop_id: int,
    case_id: int,
    order_id: int,
    buyer_id: int,
    claim: str,
    statement: str,
    decision: Decision,
    windows: Windows,
    limit_by: LimitBy | None,
    at: datetime,
    opened_by: Side,
) -> None:
    """Open a case as decided."""
    await conn.execute(
        _SQL.add_case,
        shop_id,
        case_id,
        order_id,
        buyer_id,
        claim,
        decision.remedy,
        decision.refund_minor,
        statement,
        decision.stage,
        decision.turn,
        decision.due_at,
        at,
        msgspec.to_builtins(windows),
        limit_by,
        opened_by,
    )


async def lock_case(conn: Connection, shop_id: int, case_id: int) -> None:
    """Lock a case; what is read after this cannot change under the step."""
    await conn.fetchval(_SQL.lock_case, shop_id, case_id)


async def case(conn: Connection, shop_id: int, case_id: int, at: datetime | None) -> CaseRow | None:
    """Return a case as it stands."""
    row = await conn.fetchrow(_SQL.case, shop_id, case_id, at)
    return None if row is None else _case_row(row)


async def move_case(conn: Connection, case: CaseRow, decision: Decision) -> None:
    """Write where a step leaves a case."""
    await conn.execute(
        _SQL.move_case,
        case.shop_id,
        case.case_id,
        decision.stage,
        decision.turn,
        decision.due_at,
        decision.answered,
        case.now,
        decision.rose_why,
    )


async def log_case(
    conn: Connection,
    shop_id: int,
    case_id: int,
    decision: Decision,
    *,
    from_stage: str,
    actor_id: int | None,
    actor_role: str,
    body: str | None,
    offer_id: int | None,
    basis: Basis,
    at: datetime,
) -> None:
    """Add a step to a case's history."""
    await conn.execute(
        _SQL.log_case,
        shop_id,
        case_id,
        decision.kind,
        from_stage,
        decision.stage,
        actor_id,
        actor_role,
        body,
        offer_id,
        decision.due_at,
        at,
        basis.rulebook_version,
        list(basis.evidence_digests),
    )


async def kept_decision(conn: Connection, shop_id: int, case_id: int, ruling_no: int | None = None) -> Beside | None:
    """Return what the rulebook said at one ruling of a case; at the last where no number is given."""
    row = await conn.fetchrow(_SQL.kept_decision, shop_id, case_id, ruling_no)
    if row is None:
        return None
    file, decision = [None if row[name] is None else json.loads(row[name]) for name in ("case_file", "decision")]
    return Beside(rulebook_version=row["rulebook_version"], file=file, decision=decision)


async def add_offer(
    conn: Connection,
    case: CaseRow,
    offer_id: int,
    by_id: int,
    by_role: Side,
    decision: Decision,
    note: str,
    state: OfferState,
) -> None:
    """Keep an offer."""
    await conn.execute(
        _SQL.add_offer,
        case.shop_id,
        case.case_id,
        offer_id,
        by_id,
        by_role,
        decision.remedy,
        decision.refund_minor,
        note,
        state,
        case.now,
    )


async def end_offer(conn: Connection, case: CaseRow, offer_id: int, state: OfferState) -> None:
    """Say what became of the open offer."""
    await conn.execute(_SQL.end_offer, case.shop_id, case.case_id, offer_id, state, case.now)


async def offers(conn: Connection, shop_id: int, case_id: int) -> list[OfferView]:
    """Return the offers of a case, oldest first."""
    return [
        msgspec.convert(
            {**row, "label": words.remedy_label(Remedy(row["kind"]), row["refund_minor"])},
            OfferView,
        )
        for row in await conn.fetch(_SQL.offers, shop_id, case_id)
    ]


async def events(conn: Connection, shop_id: int, case_id: int) -> list[CaseEvent]:
    """Return the history of a case, oldest first."""
    return [msgspec.convert(dict(row), CaseEvent) for row in await conn.fetch(_SQL.events, shop_id, case_id)]


async def rulings(conn: Connection, shop_id: int, case_id: int) -> list[RulingView]:
    """Return the rulings of a case, the latest last."""
    return [_ruling(dict(row)) for row in await conn.fetch(_SQL.rulings, shop_id, case_id)]


async def lapse_submission(conn: Connection, case: CaseRow) -> None:
    """End a ruling that nobody has seen yet."""
    await conn.execute(_SQL.lapse_submission, case.shop_id, case.case_id, case.now)


async def had_order_before(conn: Connection, shop_id: int, buyer_id: int, order_id: int, placed_at: datetime) -> bool:
    """Tell whether a buyer has bought in a shop before an order."""
    had: bool = await conn.fetchval(_SQL.had_order_before, shop_id, buyer_id, order_id, placed_at)
    return had


async def cases_of_buyer(
    conn: Connection, buyer_id: int, before: int, limit: int, at: datetime | None
) -> list[CaseCard]:
    """Return a buyer's cases, newest first."""
    return [card_of(row) for row in await conn.fetch(_SQL.cases_of_buyer, buyer_id, before, limit, at)]


async def owner_of(conn: Connection, shop_id: int) -> int | None:
    """Return who owns a shop."""
    found: int | None = await conn.fetchval(_SQL.shop_owner, shop_id)
    return found


async def cases_of_shop(conn: Connection, shop_id: int, before: int, limit: int, at: datetime | None) -> list[CaseCard]:
    """Return a shop's cases, newest first."""
    return [card_of(row) for row in await conn.fetch(_SQL.cases_of_shop, shop_id, before, limit, at)]


def _case_row(row: Record) -> CaseRow:
    values: dict[str, Any] = dict(row)
    offer = None
    if values["offer_id"] is not None:
        offer = OpenOffer(
            offer_id=values["offer_id"],
            by_role=Side(values["offer_by"]),
            kind=Remedy(values["offer_kind"]),
            refund_minor=values["offer_minor"],
        )
    state = CaseState(
        stage=Stage(values["stage"]),
        turn=Turn(values["turn"]),
        due_at=values["due_at"],
        opened_at=values["opened_at"],
        answered_at=values["answered_at"],
        demand=Remedy(values["demand"]),
        demand_minor=values["demand_minor"],
        held_minor=values["held_minor"],
        price_minor=values["price_minor"],
        offer=offer,
        opened_by=Side(values["opened_by"]),
        stage_since=values["stage_since"],
        windows=msgspec.convert(values["windows"], Windows),
        green_minor=values["green_minor"],
        ruling=_standing(values),
        person_asked=values["person_asked"],
        was_routed_out=values["was_routed_out"],
        pending=None
        if values["submission_id"] is None
        else Pending(
            submission_id=values["submission_id"], staff_id=values["submitted_by"], visible_at=values["visible_at"]
        ),
    )
    return msgspec.convert({**values, "state": state}, CaseRow)


def _standing(values: dict[str, Any]) -> Standing | None:
    if values["ruling_no"] is None:
        return None
    return Standing(
        ruling_no=values["ruling_no"],
        stage=RulingStage(values["ruling_stage"]),
        award=Award(values["ruling_minor"], values["ruling_damages"], replaces=values["ruling_replaces"]),
        waived_by=frozenset(values["waived_by"]),
    )


def _ruling(values: dict[str, Any]) -> RulingView:
    parts = {name: values.pop(f"share_{name}") for name in ("buyer", "merchant", "platform")}
    shares = None if parts["buyer"] is None else Shares(**parts)
    label = words.outcome_label(Outcome(values["outcome"]), values["refund_minor"], values["damages_minor"])
    return msgspec.convert({**values, "label": label, "shares": shares}, RulingView)


def card_of(row: Record) -> CaseCard:
    """Read a case in a list."""
    values: dict[str, Any] = dict(row)
    stage = Stage(values["stage"])
    return msgspec.convert(
        {
            **values,
            "ref": format_ref(values["shop_id"], values["case_id"]),
            "order_ref": format_ref(values["shop_id"], values["order_id"]),
            "claim_label": CLAIMS[values["claim"]].label,
            "demand_label": words.remedy_label(Remedy(values["demand"]), values["demand_minor"]),
            "stage_label": words.STAGE_LABELS[stage],
            "first_word_due_at": _first_word_due(values),
            "is_overdue": rules.is_overdue(stage, Turn(values["turn"]), values["due_at"], values["now"]),
        },
        CaseCard,
    )


def _first_word_due(values: dict[str, Any]) -> datetime | None:
    """Tell until when support says its first word in a listed case; None where it has, or the list does not say."""
    if "windows" not in values or values["first_word_at"] is not None:
        return None
    windows = msgspec.convert(values["windows"], Windows)
    return first_word_due(Stage(values["stage"]), values["stage_since"], windows)


async def say_first_word(conn: Connection, case: CaseRow, at: datetime | None) -> None:
    """Keep that support has said something, where a case still waits for its first word; locks the case."""
    await conn.execute(_SQL["say_first_word"], case.shop_id, case.case_id, at)


async def earlier_cases(conn: Connection, shop_id: int, order_id: int, by: Side) -> tuple[int, int]:
    """Count the cases that one side opened on an order, and those of them that it withdrew."""
    row = await conn.fetchrow(_SQL["earlier_cases"], shop_id, order_id, by)
    assert row is not None  # noqa: S101  a count always answers a row
    return row["opened"], row["withdrawn"]


async def said_facts(conn: Connection, shop_id: int, case_id: int) -> list[Said]:
    """Return what was said of a case's facts, in order."""
    return [said for said, _, _ in await said_with_notes(conn, shop_id, case_id)]


async def said_with_notes(conn: Connection, shop_id: int, case_id: int) -> list[tuple[Said, int | None, str]]:
    """Return what was said of a case's facts, in order, each with the id of its file and its note."""
    rows = [dict(row) for row in await conn.fetch(_SQL["said_facts"], shop_id, case_id)]
    return [(Said(**row), item_id, note) for row in rows for item_id, note in [(row.pop("item_id"), row.pop("note"))]]


async def say_fact(
    conn: Connection,
    shop_id: int,
    case_id: int,
    said_id: int,
    said: Said,
    by_id: int,
    item_id: int | None,
    note: str,
    at: datetime | None,
    at_most: int,
) -> bool:
    """Keep what someone says of a fact; False where that side has said enough."""
    kept = await conn.fetchval(
        _SQL["say_fact"],
        shop_id,
        case_id,
        said_id,
        said.fact,
        said.shows,
        said.kind,
        said.confidence,
        by_id,
        said.by,
        item_id,
        note,
        at,
        at_most,
    )
    return kept is not None


async def every_case(conn: Connection) -> list[tuple[int, int, int]]:
    """Return shop, case and buyer of every case, oldest first."""
    return [(row["shop_id"], row["case_id"], row["buyer_id"]) for row in await conn.fetch(_SQL["every_case"])]


async def erasures(conn: Connection, shop_id: int, order_id: int) -> list[ErasureRow]:
    """Return what was erased of an order's records, oldest first."""
    return [ErasureRow(**dict(row)) for row in await conn.fetch(_SQL["erasures"], shop_id, order_id)]


async def cases_of_order(conn: Connection, shop_id: int, order_id: int) -> list[int]:
    """Return the cases of an order, oldest first."""
    return [row["case_id"] for row in await conn.fetch(_SQL["cases_of_order"], shop_id, order_id)]


async def add_flood(conn: Connection, case: CaseRow, by_role: Side) -> None:
    """Note that a side said too much in a day."""
    await conn.execute(_SQL["add_flood"], case.shop_id, case.case_id, by_role, case.now)


async def floods(conn: Connection, staff_id: int) -> list[Flood]:
    """Return the floods nobody has looked at, oldest first."""
    rows = await conn.fetch(_SQL["floods"], staff_id)
    return [Flood(ref=format_ref(r["shop_id"], r["case_id"]), by_role=Side(r["by_role"]), at=r["at"]) for r in rows]


async def flood_seen(conn: Connection, shop_id: int, case_id: int, staff_id: int, at: datetime | None) -> bool:
    """Note that somebody has looked; false where nothing waited for it."""
    return await conn.fetchval(_SQL["flood_seen"], shop_id, case_id, staff_id, at) is not None
