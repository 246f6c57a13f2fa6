"""Questions to the parties, their answers, and questions taken back; and what every step of the ladder shares."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from kabao.cases import words
from kabao.cases.ladder import rules, store
from kabao.cases.ladder.model import MAX_QUESTION_CHARS, Question
from kabao.cases.model import MAX_STATEMENT_CHARS, CaseView, Side
from kabao.cases.steps import Actor, CaseSteps
from kabao.cases.store import CaseRow, say_first_word
from kabao.evidence import clean_text
from kabao.identity import CASE_ROLES, Person
from kabao.kernel import Refusal, Refused
from kabao.postgres import Connection

Act: TypeAlias = Callable[[Connection, CaseRow, Side], Awaitable[Refused | None]]


class Asking:
    """Lets those who decide ask a party and take a question back, and the party answer."""

    def __init__(self, steps: CaseSteps) -> None:
        self._steps = steps

    # ---- asking

    async def ask(self, staff: Person, ref: str, to: Side, body: str) -> CaseView | Refused:
        """Ask a party; the clock pauses, 12 hours in all a stage. Refuses INVALID_FIELDS (body), TOO_MANY_QUESTIONS."""
        text = clean_text(body, MAX_QUESTION_CHARS)

        async def act(conn: Connection, case: CaseRow, side: Side) -> Refused | None:
            if text is None:
                return wrong_text("body", MAX_QUESTION_CHARS)
            pauses = await store.pauses(conn, case)
            asked = len(await store.questions(conn, case.shop_id, case.case_id))
            clocked = rules.decide_ask(case.state, to, pauses, asked, case.now)
            if isinstance(clocked, Refused):
                return clocked
            await store.add_question(conn, case, self._steps.ids.next(), staff.account_id, side, to, text)
            if side is Side.SUPPORT:
                await say_first_word(conn, case, case.now)
            if clocked.pause is not None:
                await store.keep_pause(conn, case, clocked.pause, is_new=True)
                await store.move_due(conn, case, clocked.due_at)
            body = f"问{words.WHO[to]}：{text}"
            await self._steps.log(conn, case, "asked", Actor(staff.account_id, side), body=body, due_at=clocked.due_at)
            account_id = case.buyer_id if to is Side.BUYER else case.owner_id
            subject = words.notice_subject("asked", case.title, side)
            await self._steps.notices.tell(conn, account_id, "case_asked", subject, f"/c/{case.ref}")
            return None

        return await self._decide(staff, ref, act)

    async def reply(self, person: Person, ref: str, question_id: int, body: str) -> CaseView | Refused:
        """Answer a question; with the last open one the clock runs on.

        Refuses NOT_FOUND, NOT_ALLOWED (not asked of this side), CASE_CLOSED, QUESTION_ANSWERED, INVALID_FIELDS (body).
        """
        text = clean_text(body, MAX_STATEMENT_CHARS)

        async def act(conn: Connection, case: CaseRow, side: Side) -> Refused | None:
            question, still_open = await self._question(conn, case, question_id)
            pauses = await store.pauses(conn, case)
            clocked = rules.decide_reply(case.state, side, question, still_open, pauses, case.now)
            if isinstance(clocked, Refused):
                return clocked
            if text is None:
                return wrong_text("body", MAX_STATEMENT_CHARS)
            actor = Actor(person.account_id, side)
            said = await self._steps.masked(conn, case, actor, text)
            await store.answer_question(conn, case, question_id, said)
            if clocked.pause is not None:
                await store.keep_pause(conn, case, clocked.pause, is_new=False)
                await store.move_due(conn, case, clocked.due_at)
            await self._steps.log(conn, case, "replied", actor, body=said, due_at=clocked.due_at)
            await self._steps.tell(conn, case, "replied", side)
            return None

        return await self._act(person, ref, act)

    async def withdraw_question(self, staff: Person, ref: str, question_id: int) -> CaseView | Refused:
        """Take a question of this stage back that nobody has answered; with the last open one the clock runs on.

        Refuses NOT_FOUND, QUESTION_ANSWERED.
        """

        async def act(conn: Connection, case: CaseRow, side: Side) -> Refused | None:
            question, still_open = await self._question(conn, case, question_id)
            if question is None or question.stage != case.state.stage:
                return Refused(Refusal.NOT_FOUND)
            to, pauses = Side(question.to_role), await store.pauses(conn, case)
            clocked = rules.decide_reply(case.state, to, question, still_open, pauses, case.now)
            if isinstance(clocked, Refused):
                return clocked
            await store.withdraw_question(conn, case, question_id)
            if clocked.pause is not None:
                await store.keep_pause(conn, case, clocked.pause, is_new=False)
                await store.move_due(conn, case, clocked.due_at)
            actor, body = Actor(staff.account_id, side), f"问{words.WHO[to]}：{question.body}"
            await self._steps.log(conn, case, "question_withdrawn", actor, body=body, due_at=clocked.due_at)
            account_id = case.buyer_id if to is Side.BUYER else case.owner_id
            subject = words.notice_subject("question_withdrawn", case.title, side)
            await self._steps.notices.tell(conn, account_id, "case_question_withdrawn", subject, f"/c/{case.ref}")
            return None

        return await self._decide(staff, ref, act)

    async def _question(self, conn: Connection, case: CaseRow, question_id: int) -> tuple[Question | None, int]:
        """Find a question, and count it with what else the stage waits for; one of an earlier stage holds no clock."""
        questions = await store.questions(conn, case.shop_id, case.case_id)
        found = next((one for one in questions if one.question_id == question_id), None)
        others = [one for one in questions if one.question_id != question_id and one.stage == case.state.stage]
        return found, 1 + sum(one.is_open for one in others)

    # ---- what every step shares

    async def _act(self, person: Person, ref: str, act: Act) -> CaseView | Refused:
        return await self._acted(person, ref, act) or await self._steps.case(person, ref)

    async def _acted(self, person: Person, ref: str, act: Act) -> Refused | None:
        async with self._steps.database.transaction() as conn:
            found = await self._steps.locked(conn, person, ref)
            return found if isinstance(found, Refused) else await act(conn, *found)

    async def _decide(self, staff: Person, ref: str, act: Act) -> CaseView | Refused:
        return await self._decided(staff, ref, act) or await self._steps.case(staff, ref)

    async def _decided(self, staff: Person, ref: str, act: Act, *, takes_back: bool = False) -> Refused | None:
        if not CASE_ROLES.isdisjoint(staff.roles) and not staff.staff_checked:
            return Refused(Refusal.STAFF_CHECK_REQUIRED)

        async def checked(conn: Connection, case: CaseRow, side: Side) -> Refused | None:
            barred = frozenset(case.barred)
            refused = rules.may_decide(case.state, side, staff.account_id, barred, takes_back=takes_back)
            return refused or await act(conn, case, side)

        return await self._acted(staff, ref, checked)


def wrong_text(field: str, at_most: int) -> Refused:
    """Refuse a text that is empty or too long."""
    return Refused(Refusal.INVALID_FIELDS, {field: f"写 1 到 {at_most} 个字。"})
