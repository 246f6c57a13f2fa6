"""What time does to cases: rulings become visible, deadlines pass, seats are drawn. Any number of workers at once."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

import structlog

from kabao.adjudication import Adjudicator
from kabao.cases import store as case_store
from kabao.cases import words
from kabao.cases.desk.store import drop_draft
from kabao.cases.ladder import awards, rules, store
from kabao.cases.ladder.bank import BankSteps
from kabao.cases.ladder.grounding import points_of, unread_of
from kabao.cases.ladder.grounds import by_the_book
from kabao.cases.ladder.model import Award, Grounds, RulingStage, Shares
from kabao.cases.ladder.store import BEGINNING, Handed, Place
from kabao.cases.machine import Stage
from kabao.cases.model import MAX_RULING_CHARS, Beside, Decision, Side, Turn
from kabao.cases.saying import carried_lines
from kabao.cases.steps import SYSTEM, Actor, CaseSteps
from kabao.cases.store import CaseRow
from kabao.kernel import Refusal, Refused
from kabao.postgres import Connection

BATCH: Final = 100

Act: TypeAlias = Callable[[Connection, CaseRow, Adjudicator | Refused], Awaitable[bool]]

_log = structlog.get_logger(__name__)


class LadderJobs:
    """Moves cases on when their time has come, each in a transaction of its own."""

    def __init__(self, steps: CaseSteps) -> None:
        self._steps = steps
        self._bank = BankSteps(steps)

    async def tick(self) -> int:
        """End what a chargeback left open, publish rulings, do what deadlines do, fill seats; returns how many moved.

        A case that somebody is moving just now is left to the next tick.
        """
        ended = await self._each("charged_back_cases", self._end_charged_back)
        published = await self._each("visible_submissions", self._publish)
        passed = await self._each("due_cases", self._pass)
        await self._each("unseated_cases", self._seat)
        return ended + published + passed

    async def seat_anew(self, conn: Connection, case: CaseRow) -> None:
        """Draw panellists for the empty seats of a case as it stands now in this transaction."""
        now = await case_store.case(conn, case.shop_id, case.case_id, self._steps.clock.instant())
        if now is not None:
            await self._draw(conn, now)

    async def _each(self, which: str, act: Act) -> int:
        moved, after = 0, BEGINNING
        while True:
            async with self._steps.database.connection() as conn:
                places = await store.waiting(conn, which, self._steps.clock.instant(), after, BATCH)
            for place in places:
                moved += await self._one(place, act)
            if len(places) < BATCH:
                return moved
            after = places[-1]

    async def _one(self, place: Place, act: Act) -> bool:
        steps, at = self._steps, (place.shop_id, place.case_id)
        async with steps.database.connection() as conn:
            seen = await case_store.case(conn, *at, steps.clock.instant())
        if seen is None:
            return False
        # What was ordered is bound for good, so the book can be made ready before anything is locked.
        judge = await steps.rulebook.binding(seen.placed_at)
        async with steps.database.transaction() as conn:
            if not await store.lock_idle_case(conn, *at):
                return False
            case = await case_store.case(conn, *at, steps.clock.instant())
            return case is not None and await act(conn, case, judge)

    async def _publish(self, conn: Connection, case: CaseRow, _judge: Adjudicator | Refused) -> bool:
        pending, handed = case.state.pending, await store.submitted(conn, case)
        if pending is None or handed is None or case.now < pending.visible_at:
            return False
        by = Side.DUTY if handed.by_duty else Side.SUPPORT if handed.stage is RulingStage.SUPPORT else Side.PANEL
        decision = rules.decide_publish(case.state, handed.award, case.now)
        if by is Side.SUPPORT:
            await case_store.say_first_word(conn, case, case.now)
        if handed.staff_id is not None:
            await drop_draft(conn, case, handed.staff_id)
        unread = None if handed.seen is None else await unread_of(conn, case, handed.seen)
        return await self._make_known(conn, case, decision, pending.submission_id, Actor(handed.staff_id, by), unread)

    async def _end_charged_back(self, conn: Connection, case: CaseRow, _judge: Adjudicator | Refused) -> bool:
        return await self._bank.end_case(conn, case)

    async def _make_known(
        self,
        conn: Connection,
        case: CaseRow,
        decision: Decision,
        submission_id: int,
        actor: Actor,
        unread: Sequence[str] | None = None,
    ) -> bool:
        if not await self._taken(conn, case, decision, actor):
            return False
        await store.publish_ruling(conn, case, submission_id, unread)
        await store.end_waiting(conn, case)
        return True

    async def _pass(self, conn: Connection, case: CaseRow, judge: Adjudicator | Refused) -> bool:
        state, beside, supported = case.state, None, None
        # After the release nothing is paid out of the platform's reserve without a person having looked; and nothing is
        # ruled without one where the buyer asked for one.
        if state.stage is Stage.NEGOTIATION and state.turn is Turn.MERCHANT and case.may_stand:
            beside = await self._steps.beside(conn, case, judge)
            in_place = await store.in_place_minor(conn, case)
            supported = _supported(case, beside, in_place)
        decision = rules.decide_due(state, case.now, supported)
        if decision is None:
            return False
        if decision.kind == "ruled" and beside is not None and beside.decision is not None:
            grounds = Grounds()
            if not isinstance(judge, Refused):
                grounds = by_the_book(await points_of(conn, case), beside, judge.book)
            carried = await self._carried(conn, case, judge)
            handed = _by_default(self._steps.ids.next(), case, decision, beside.decision, carried, grounds)
            await store.submit_ruling(conn, case, handed, beside)
            return await self._make_known(conn, case, decision, handed.submission_id, SYSTEM)
        moved = await self._taken(conn, case, decision, SYSTEM)
        if decision.stage is Stage.PANEL and decision.turn is Turn.PANEL:
            await self.seat_anew(conn, case)
        return moved

    async def _carried(self, conn: Connection, case: CaseRow, judge: Adjudicator | Refused) -> list[str]:
        """Tell which fact each file carries, for the facts found."""
        said = await case_store.said_with_notes(conn, case.shop_id, case.case_id)
        items = await self._steps.evidence.items(case.shop_id, case.order_id, conn)
        return [] if isinstance(judge, Refused) else carried_lines(judge.book, said, items)

    async def _taken(self, conn: Connection, case: CaseRow, decision: Decision, actor: Actor) -> bool:
        refused = await self._steps.carry_out(conn, case, decision, actor)
        if refused is not None and refused.code is not Refusal.RESERVE_SHORT:
            # The money of an open case is frozen, so only a fault elsewhere leads here; it is tried again.
            _log.error("a case could not be moved on", case=case.ref, step=decision.kind, why=str(refused.code))
        return refused is None

    async def _seat(self, conn: Connection, case: CaseRow, _judge: Adjudicator | Refused) -> bool:
        return await self._draw(conn, case)

    async def _draw(self, conn: Connection, case: CaseRow) -> bool:
        state = case.state
        if state.turn is not Turn.PANEL or state.pending is not None:
            return False
        size = rules.panel_size(state.held_minor, state.windows) if state.stage is Stage.PANEL else 1
        excluded = [case.buyer_id, case.owner_id, *case.barred]
        candidates = await store.candidates(conn, case, excluded)
        seed = f"{case.case_id}:{state.stage}:{len(case.seated)}"
        drawn = rules.draw(candidates, seed, size - len(case.seated))
        if not drawn:
            return False
        await store.add_seats(conn, case, drawn)
        await self._steps.log(conn, case, "seated", SYSTEM, due_at=state.due_at)
        subject = words.notice_subject("seat", case.title, "system")
        for panellist_id in drawn:
            await self._steps.notices.tell(conn, panellist_id, "case_seat", subject, f"/desk/{case.ref}")
        return True


def _supported(case: CaseRow, beside: Beside | None, in_place_minor: int) -> Award | None:
    """Tell what of an unanswered demand stands; only where the rulebook also says who is responsible."""
    decision, state = None if beside is None else beside.decision, case.state
    if decision is None or not _shares(decision).is_whole:
        return None
    return awards.supported_of(decision, state.demand, state.demand_minor, state.held_minor, in_place_minor)


def _shares(decision: dict[str, Any]) -> Shares:
    return Shares(**decision["responsible"])


def _by_default(
    submission_id: int,
    case: CaseRow,
    decision: Decision,
    said: dict[str, Any],
    carried: Sequence[str],
    grounds: Grounds,
) -> Handed:
    """Write the ruling that an unanswered claim comes to; the rulebook's own sentences are its reasons.

    Where these come to more than was demanded it says so, and what each file carries stands among the facts.
    """
    state = case.state
    award = decision.award or Award(decision.refund_minor)
    outcome = awards.outcome_of(award, state.held_minor)
    stands = words.outcome_label(outcome, award.refund_minor)
    facts = f"{words.silence(state)}已知的事实和平台的记录，按适用的规则支持{stands}。"
    suggested = awards.suggested_of(said, state.demand, state.held_minor)
    limit = words.as_demanded(award, suggested)
    reasons = "\n".join([*([limit] if limit else []), *(reason["zh"] for reason in said["reasons"])])
    return Handed(
        submission_id=submission_id,
        staff_id=None,
        stage=RulingStage.DEFAULT,
        by_duty=False,
        outcome=outcome,
        refund_minor=award.refund_minor,
        damages_minor=award.damages_minor,
        shares=_shares(said),
        facts="\n".join([facts, *carried])[:MAX_RULING_CHARS],
        reasons=reasons[:MAX_RULING_CHARS] or "诉求按适用的规则成立。",
        differs_reason="",
        dissent="",
        grounds=grounds,
        visible_at=case.now,
    )
