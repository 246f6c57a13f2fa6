"""The use cases of a cover: its merchant sets and ends it, time carries it out."""

from datetime import UTC, datetime
from typing import Final

from kabao.cases import store as case_store
from kabao.cases import words
from kabao.cases.cover import store
from kabao.cases.cover.model import CoverView, SetCover
from kabao.cases.cover.rules import decide_cover, wrong_in
from kabao.cases.ladder.store import lock_idle_case
from kabao.cases.model import Decision, OfferState, Side
from kabao.cases.steps import NOT_FOUND, Actor, CaseSteps
from kabao.cases.store import CaseRow
from kabao.identity import Person
from kabao.kernel import Refusal, Refused
from kabao.postgres import Connection

BATCH: Final = 100


class CoverService:
    """Keeps a shop's cover, and grants in its merchant's name what it promises."""

    def __init__(self, steps: CaseSteps) -> None:
        self._steps = steps

    async def cover(self, owner: Person, shop_id: int) -> CoverView | Refused:
        """Show a shop's cover and what covers did, to its owner; NOT_FOUND for everybody else."""
        async with self._steps.database.connection() as conn:
            if await case_store.owner_of(conn, shop_id) != owner.account_id:
                return NOT_FOUND
            return CoverView(standing=await store.standing(conn, shop_id), deeds=await store.deeds(conn, shop_id))

    async def set(self, owner: Person, shop_id: int, wish: SetCover) -> Refused | None:
        """Set a cover in the place of the one that stands; refuses NOT_FOUND, INVALID_FIELDS (until, each, total)."""
        at = self._steps.clock.instant()
        wrong = wrong_in(wish, at or datetime.now(UTC))
        async with self._steps.database.transaction() as conn:
            if await store.lock_shop(conn, shop_id) != owner.account_id:
                return NOT_FOUND
            if wrong:
                return Refused(Refusal.INVALID_FIELDS, wrong)
            await store.end_cover(conn, shop_id, at)
            await store.add_cover(conn, shop_id, self._steps.ids.next(), wish, owner.account_id, at)
        return None

    async def end(self, owner: Person, shop_id: int) -> Refused | None:
        """End the cover that stands, at once; refuses NOT_FOUND, also where none stands."""
        async with self._steps.database.transaction() as conn:
            if await store.lock_shop(conn, shop_id) != owner.account_id:
                return NOT_FOUND
            return None if await store.end_cover(conn, shop_id, self._steps.clock.instant()) else NOT_FOUND

    async def tick(self) -> int:
        """Grant what standing covers promise, each case in a transaction of its own; returns how many were granted.

        A case that somebody is moving just now is left to the next tick.
        """
        granted, after = 0, (0, 0)
        while True:
            async with self._steps.database.connection() as conn:
                places = await store.covered_cases(conn, self._steps.clock.instant(), after, BATCH)
            for place in places:
                granted += await self._one(*place)
            if len(places) < BATCH:
                return granted
            after = places[-1]

    async def _one(self, shop_id: int, case_id: int) -> bool:
        steps = self._steps
        async with steps.database.transaction() as conn:
            if not await lock_idle_case(conn, shop_id, case_id):
                return False
            case = await case_store.case(conn, shop_id, case_id, steps.clock.instant())
            cover = await store.locked(conn, shop_id)
            if case is None or cover is None or await store.has_looked(conn, shop_id, cover.cover_id, case_id):
                return False
            decided = decide_cover(case.state, cover, case.now)
            if decided is None:
                return False
            if isinstance(decided, str):
                await self._left(conn, case, cover.cover_id, decided)
                return False
            said = f"外出期间按事先设的规则自动照办（每件 {words.yuan(cover.each_minor)} 以内）。"
            actor = Actor(case.owner_id, Side.MERCHANT)
            refused = await steps.take(conn, case, decided, actor, body=said, new_offer=OfferState.ACCEPTED)
            if refused is not None:
                await self._left(conn, case, cover.cover_id, refused.code)
                return False
            await self._done(conn, case, cover.cover_id, decided)
        return True

    async def _done(self, conn: Connection, case: CaseRow, cover_id: int, decided: Decision) -> None:
        await store.add_deed(conn, case, cover_id, decided.refund_minor, None)
        subject = f"「{case.title}」的纠纷：外出期间已自动照办，退 {words.yuan(decided.refund_minor)}"
        await self._steps.notices.tell(conn, case.owner_id, "case_covered", subject, f"/c/{case.ref}")

    async def _left(self, conn: Connection, case: CaseRow, cover_id: int, why: str) -> None:
        await store.add_deed(conn, case, cover_id, 0, why)
        subject = f"「{case.title}」的纠纷：外出期间没能自动照办，还等你答复"
        await self._steps.notices.tell(conn, case.owner_id, "case_uncovered", subject, f"/c/{case.ref}")
