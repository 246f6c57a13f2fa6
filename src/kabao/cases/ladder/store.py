"""Runs the SQL of the ladder and turns rows into values."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, cast

import msgspec

from kabao.cases.ladder.model import (
    Award,
    Candidate,
    GiveFirstView,
    Grounds,
    Pause,
    Question,
    RulingStage,
    Shares,
    Vote,
)
from kabao.cases.machine import Stage
from kabao.cases.model import Beside, Outcome, Side
from kabao.cases.store import CaseRow
from kabao.kernel import canonical_bytes
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.cases.ladder")
LISTS: Final = ("charged_back_cases", "visible_submissions", "due_cases", "unseated_cases")


class Place(NamedTuple):
    """A case in a list that is read a piece at a time, by the instant it is ordered by."""

    at: datetime
    shop_id: int
    case_id: int


BEGINNING: Final = Place(datetime(1970, 1, 1, tzinfo=UTC), 0, 0)


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """A ruling to be handed in; `staff_id` is None for one by default."""

    submission_id: int
    staff_id: int | None
    stage: RulingStage
    by_duty: bool
    outcome: Outcome
    refund_minor: int
    damages_minor: int
    shares: Shares
    facts: str
    reasons: str
    differs_reason: str
    dissent: str
    grounds: Grounds
    seen: Sequence[str] | None = None
    """The points that had been read; None where the rules decided."""
    visible_at: datetime


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """Of a ruling handed in what is needed to publish it."""

    outcome: Outcome
    refund_minor: int
    damages_minor: int
    staff_id: int | None
    stage: RulingStage
    by_duty: bool
    seen: Sequence[str] | None

    @property
    def award(self) -> Award:
        """What it gives."""
        return Award(self.refund_minor, self.damages_minor, replaces=self.outcome is Outcome.REPLACEMENT)


async def pauses(conn: Connection, case: CaseRow) -> list[Pause]:
    """Return the pauses of the stage a case is in, since it came to it."""
    since = case.state.stage_since or case.state.opened_at
    rows = await conn.fetch(_SQL.pauses, case.shop_id, case.case_id, case.state.stage, since)
    return [Pause(row["began_at"], row["ends_at"]) for row in rows]


async def keep_pause(conn: Connection, case: CaseRow, pause: Pause, *, is_new: bool) -> None:
    """Begin a pause, or let one end earlier."""
    query = _SQL.begin_pause if is_new else _SQL.end_pause
    await conn.execute(query, case.shop_id, case.case_id, case.state.stage, pause.began_at, pause.ends_at)


async def move_due(conn: Connection, case: CaseRow, due_at: datetime | None) -> None:
    """Write a deadline that has moved."""
    await conn.execute(_SQL.move_due, case.shop_id, case.case_id, due_at)


async def questions(conn: Connection, shop_id: int, case_id: int) -> list[Question]:
    """Return the questions of a case, oldest first."""
    return [msgspec.convert(dict(row), Question) for row in await conn.fetch(_SQL.questions, shop_id, case_id)]


async def add_question(
    conn: Connection, case: CaseRow, question_id: int, by_id: int, by_role: Side, to_role: Side, body: str
) -> None:
    """Ask a party."""
    place = (case.shop_id, case.case_id, question_id, case.state.stage)
    await conn.execute(_SQL.add_question, *place, by_id, by_role, to_role, body, case.now)


async def answer_question(conn: Connection, case: CaseRow, question_id: int, answer: str) -> None:
    """Keep an answer."""
    await conn.execute(_SQL.answer_question, case.shop_id, case.case_id, question_id, answer, case.now)


async def withdraw_question(conn: Connection, case: CaseRow, question_id: int) -> None:
    """Keep that a question needs no answer any more."""
    await conn.execute(_SQL.withdraw_question, case.shop_id, case.case_id, question_id, case.now)


async def end_waiting(conn: Connection, case: CaseRow) -> None:
    """End what a stage that is ruled waited for: its open questions, and a pause that runs."""
    await conn.execute(_SQL.end_waiting, case.shop_id, case.case_id, case.state.stage, case.now)


async def add_first_view(
    conn: Connection, case: CaseRow, staff_id: int, wish: GiveFirstView, refund_minor: int, sentence: str
) -> bool:
    """Keep a first view; False where there is one."""
    kept = await conn.fetchval(
        _SQL.add_first_view,
        case.shop_id,
        case.case_id,
        case.state.stage,
        staff_id,
        wish.outcome,
        refund_minor,
        *_parts(wish.shares),
        sentence,
        case.now,
        wish.damages_minor,
    )
    return kept is not None


async def viewed_stages(conn: Connection, shop_id: int, case_id: int, staff_id: int) -> frozenset[Stage]:
    """Return the stages in which somebody has put a first view down."""
    return frozenset(Stage(row["stage"]) for row in await conn.fetch(_SQL.viewed_stages, shop_id, case_id, staff_id))


async def candidates(conn: Connection, case: CaseRow, excluded: Sequence[int]) -> list[Candidate]:
    """Return who may be drawn for the stage a case is in."""
    rows = await conn.fetch(_SQL.candidates, case.shop_id, case.case_id, case.state.stage, list(excluded))
    return [Candidate(row["panellist_id"], row["open_seats"]) for row in rows]


async def add_seats(conn: Connection, case: CaseRow, drawn: Sequence[int]) -> None:
    """Give seats to those who were drawn."""
    await conn.execute(_SQL.add_seats, case.shop_id, case.case_id, case.state.stage, list(drawn), case.now)


async def leave_seat(conn: Connection, case: CaseRow, panellist_id: int, why: str) -> None:
    """Take a panellist off a case."""
    place = (case.shop_id, case.case_id, case.state.stage, panellist_id)
    await conn.execute(_SQL.leave_seat, *place, case.now, why)


async def votes(conn: Connection, shop_id: int, case_id: int) -> list[Vote]:
    """Return the votes of a case's panel, by seat."""
    found = []
    for row in await conn.fetch(_SQL.votes, shop_id, case_id):
        values: dict[str, Any] = dict(row)
        shares = Shares(**{name: values.pop(f"share_{name}") for name in ("buyer", "merchant", "platform")})
        grounds = msgspec.convert(values.pop("grounds"), Grounds)
        found.append(Vote(**values, shares=shares, grounds=grounds))
    return found


async def add_vote(conn: Connection, case: CaseRow, vote_id: int, vote: Vote) -> None:
    """Keep a vote."""
    await conn.execute(
        _SQL.add_vote,
        case.shop_id,
        case.case_id,
        vote_id,
        vote.panellist_id,
        vote.upholds,
        vote.refund_minor,
        *_parts(vote.shares),
        vote.facts,
        vote.reasons,
        vote.differs_reason,
        case.now,
        vote.damages_minor,
        vote.replaces,
        msgspec.to_builtins(vote.grounds),
        list(vote.seen),
    )


async def take_back_vote(conn: Connection, case: CaseRow, panellist_id: int) -> None:
    """Take a vote back."""
    await conn.execute(_SQL.take_back_vote, case.shop_id, case.case_id, panellist_id, case.now)


async def drop_votes(conn: Connection, case: CaseRow) -> None:
    """Take every vote of a case's panel back, so that it votes anew."""
    await conn.execute(_SQL.drop_votes, case.shop_id, case.case_id, case.now)


async def submit_ruling(conn: Connection, case: CaseRow, handed: Handed, beside: Beside | None) -> None:
    """Keep a ruling as handed in, with what the rulebook says at that moment."""
    texts = [
        None if one is None else canonical_bytes(one).decode()
        for one in (beside and beside.file, beside and beside.decision)
    ]
    await conn.execute(
        _SQL.submit_ruling,
        case.shop_id,
        case.case_id,
        handed.submission_id,
        handed.staff_id,
        handed.stage,
        handed.by_duty,
        handed.outcome,
        handed.refund_minor,
        *_parts(handed.shares),
        handed.facts,
        handed.reasons,
        handed.differs_reason,
        handed.dissent,
        None if beside is None else beside.rulebook_version,
        *texts,
        case.now,
        handed.visible_at,
        handed.damages_minor,
        msgspec.to_builtins(handed.grounds),
        None if handed.seen is None else list(handed.seen),
    )


async def in_place_minor(conn: Connection, case: CaseRow) -> int:
    """Return what was paid for the keys that new ones would stand for: those opened and still held."""
    paid: int = await conn.fetchval(_SQL.in_place, case.shop_id, case.order_id)
    return paid


async def submitted(conn: Connection, case: CaseRow) -> Submitted | None:
    """Return what is handed in and still waits."""
    row = await conn.fetchrow(_SQL.submitted, case.shop_id, case.case_id)
    return None if row is None else msgspec.convert(dict(row), Submitted)


async def take_back_submission(conn: Connection, case: CaseRow, submission_id: int) -> None:
    """Take a ruling back that nobody has seen."""
    await conn.execute(_SQL.end_submission, case.shop_id, case.case_id, submission_id, case.now, "taken_back")


async def publish_ruling(
    conn: Connection, case: CaseRow, submission_id: int, unread: Sequence[str] | None = None
) -> None:
    """Make a ruling of what was handed in, and keep beside it what the rulebook said then; names what was `unread`."""
    place = (case.shop_id, case.case_id, submission_id)
    ruling_no = await conn.fetchval(_SQL.publish_ruling, *place, case.now, unread)
    await conn.execute(_SQL.keep_decision, *place, ruling_no, case.now)
    await conn.execute(_SQL.end_submission, *place, case.now, "published")


async def add_review(conn: Connection, case: CaseRow, by_role: Side, by_id: int, reason: str) -> None:
    """Keep who asked for a review of the latest ruling, and why."""
    ruling_no = 0 if case.state.ruling is None else case.state.ruling.ruling_no
    await conn.execute(_SQL.add_review, case.shop_id, case.case_id, ruling_no, by_role, by_id, reason, case.now)


async def add_waiver(conn: Connection, case: CaseRow, by_role: Side, by_id: int) -> None:
    """Keep who waived the review of the latest ruling."""
    ruling_no = 0 if case.state.ruling is None else case.state.ruling.ruling_no
    await conn.execute(_SQL.add_waiver, case.shop_id, case.case_id, ruling_no, by_role, by_id, case.now)


async def lock_idle_case(conn: Connection, shop_id: int, case_id: int) -> bool:
    """Lock a case; False where somebody is moving it."""
    return await conn.fetchval(_SQL.lock_idle_case, shop_id, case_id) is not None


async def lock_open_case(conn: Connection, shop_id: int, order_id: int) -> int | None:
    """Lock the case that is open on an order, and name it; None where none is."""
    return cast("int | None", await conn.fetchval(_SQL.lock_open_case, shop_id, order_id))


async def case_ended_by_bank(conn: Connection, shop_id: int, order_id: int) -> int | None:
    """Name the open case of an order whose payment was taken back while it ran."""
    return cast("int | None", await conn.fetchval(_SQL.case_ended_by_bank, shop_id, order_id))


async def waiting(conn: Connection, which: str, at: datetime | None, after: Place, limit: int) -> list[Place]:
    """Return the next cases of one of `LISTS`, in its order."""
    rows = await conn.fetch(_SQL[which], at, *after, limit)
    return [Place(row["at"], row["shop_id"], row["case_id"]) for row in rows]


def _parts(shares: Shares) -> tuple[int, int, int]:
    return shares.buyer, shares.merchant, shares.platform
