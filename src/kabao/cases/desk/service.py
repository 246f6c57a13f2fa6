"""The desk's use cases: reading the queue, coming to a case, keeping a draft."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from kabao.cases.desk import rules, store
from kabao.cases.desk.model import (
    DRAFT_KEPT,
    After,
    Counts,
    DeskView,
    Lane,
    Pausing,
    QueueCard,
    QueuePage,
    QueueWish,
    Seats,
)
from kabao.cases.ladder import store as ladder_store
from kabao.cases.ladder.model import Vote
from kabao.cases.ladder.rules import SPANS, may_decide, panel_size
from kabao.cases.machine import Stage
from kabao.cases.model import Side
from kabao.cases.steps import CaseSteps
from kabao.cases.store import CaseRow
from kabao.identity import CASE_ROLES, Person, Role
from kabao.kernel import Refusal, Refused, parse_ref
from kabao.postgres import Connection

PAGE: Final = 30
NOT_FOUND: Final = Refused(Refusal.NOT_FOUND)


class DeskService:
    """What staff has before it while deciding; every use case refuses NOT_FOUND or NOT_ALLOWED to anybody else."""

    def __init__(self, steps: CaseSteps) -> None:
        self._steps = steps

    # ---- the queue

    async def queue(self, staff: Person, wish: QueueWish, limit: int = PAGE) -> QueuePage | Refused:
        """List a part of what a member of staff may open, the least time left first; refuses NOT_ALLOWED."""
        if CASE_ROLES.isdisjoint(staff.roles):
            return Refused(Refusal.NOT_ALLOWED)
        async with self._steps.database.connection() as conn:
            cards = await store.queue(
                conn,
                staff.account_id,
                wish,
                limit + 1,
                self._steps.clock.instant(),
                is_support=Role.SUPPORT in staff.roles,
                is_duty=Role.DUTY in staff.roles,
            )
        shown = cards[:limit]
        return QueuePage(cards=shown, after=rules.place_of(shown[-1].card) if len(cards) > limit else None)

    async def counts(self, staff: Person, wish: QueueWish) -> Counts | Refused:
        """Count what fits a wish's filters, in every lane by the time left; refuses NOT_ALLOWED."""
        if CASE_ROLES.isdisjoint(staff.roles):
            return Refused(Refusal.NOT_ALLOWED)
        async with self._steps.database.connection() as conn:
            return await store.counts(
                conn,
                staff.account_id,
                wish,
                self._steps.clock.instant(),
                is_support=Role.SUPPORT in staff.roles,
                is_duty=Role.DUTY in staff.roles,
            )

    async def seats_of(self, panellist: Person) -> list[str]:
        """Name every open case in which somebody sits on the panel or reviews."""
        refs: list[str] = []
        after: After | None = None
        while True:
            part = await self.queue(panellist, QueueWish(lane=Lane.TEAM, after=after))
            if isinstance(part, Refused):
                return refs
            refs += [one.card.ref for one in part.cards]
            if (after := part.after) is None:
                return refs

    async def find(self, staff: Person, number: str) -> list[QueueCard]:
        """Return the cases that a case's or an order's number names and that this member of staff may open."""
        at = parse_ref(number)
        if at is None:
            return []
        async with self._steps.database.connection() as conn:
            cards = await store.by_number(conn, at.shop_id, at.object_id, self._steps.clock.instant())
            seen = [await self._steps.found(conn, staff, one.card.ref) for one in cards]
        return [
            one
            for one, found in zip(cards, seen, strict=True)
            if not isinstance(found, Refused) and not found[1].is_party
        ]

    # ---- beside a case

    async def arrive(self, staff: Person, ref: str) -> DeskView | Refused:
        """Say that one has a case open, and see who else has, one's own draft and first view, the seats, the clock."""
        async with self._steps.database.transaction() as conn:
            found = await self._as_staff(conn, staff, ref)
            if isinstance(found, Refused):
                return found
            case, side = found
            if case.closed_at is None:
                await store.be_here(conn, case, staff.account_id, side)
            return DeskView(
                is_recused=staff.account_id in case.barred,
                others=await store.others_here(conn, case, staff.account_id),
                draft=await store.draft(conn, case, staff.account_id),
                own_view=await store.own_view(conn, case, staff.account_id),
                own_vote=await self._own_vote(conn, case, staff.account_id),
                seats=await self._seats(conn, case, staff.account_id),
                pausing=await self._pausing(conn, case),
            )

    async def save_draft(self, staff: Person, ref: str, fields: Mapping[str, str]) -> datetime | Refused:
        """Keep what its author has typed of a ruling or a vote; answers when.

        Refuses what `may_decide` does, FIRST_VIEW_NEEDED, INVALID_FIELDS.
        """
        typed = rules.draft_of(fields)
        async with self._steps.database.transaction() as conn:
            found = await self._as_staff(conn, staff, ref)
            if isinstance(found, Refused):
                return found
            case, side = found
            refused = may_decide(case.state, side, staff.account_id, frozenset(case.barred))
            if refused is not None:
                return refused
            if await store.own_view(conn, case, staff.account_id) is None:
                return Refused(Refusal.FIRST_VIEW_NEEDED)
            if isinstance(typed, Refused):
                return typed
            await store.save_draft(conn, case, staff.account_id, typed, case.now + DRAFT_KEPT)
            return case.now

    async def drop_draft(self, staff: Person, ref: str) -> Refused | None:
        """Throw one's own draft away."""
        async with self._steps.database.transaction() as conn:
            found = await self._as_staff(conn, staff, ref)
            if isinstance(found, Refused):
                return found
            await store.drop_draft(conn, found[0], staff.account_id)
        return None

    async def _as_staff(self, conn: Connection, staff: Person, ref: str) -> tuple[CaseRow, Side] | Refused:
        found = await self._steps.found(conn, staff, ref)
        return NOT_FOUND if isinstance(found, Refused) or found[1].is_party else found

    async def _own_vote(self, conn: Connection, case: CaseRow, staff_id: int) -> Vote | None:
        if case.state.stage is not Stage.PANEL:
            return None
        votes = await ladder_store.votes(conn, case.shop_id, case.case_id)
        return next((vote for vote in votes if vote.panellist_id == staff_id), None)

    async def _seats(self, conn: Connection, case: CaseRow, staff_id: int) -> Seats | None:
        if case.state.stage not in {Stage.PANEL, Stage.REVIEW}:
            return None
        is_panel = case.state.stage is Stage.PANEL
        needed = panel_size(case.state.held_minor, case.state.windows) if is_panel else 1
        return await store.seats(conn, case, staff_id, needed)

    async def _pausing(self, conn: Connection, case: CaseRow) -> Pausing | None:
        if case.state.stage not in SPANS:
            return None
        return rules.pausing(await ladder_store.pauses(conn, case), case.state.windows.pause, case.now)
