"""The use cases of those who decide and of the parties after a ruling, one transaction each, the case locked first."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from kabao.adjudication import Adjudicator
from kabao.cases import words
from kabao.cases.desk.model import DRAFT_KEPT
from kabao.cases.desk.store import draft_until
from kabao.cases.ladder import awards, rules, store
from kabao.cases.ladder.bank import BankSteps
from kabao.cases.ladder.jobs import LadderJobs
from kabao.cases.ladder.model import (
    MAX_QUESTION_CHARS,
    MAX_REASON_CHARS,
    MAX_SENTENCE_CHARS,
    UNDO,
    Award,
    CastVote,
    GiveFirstView,
    RulingStage,
    Shares,
    Tally,
    Vote,
)
from kabao.cases.ladder.store import Handed
from kabao.cases.machine import Stage
from kabao.cases.model import MAX_RULING_CHARS, MAX_STATEMENT_CHARS, Beside, CaseView, Outcome, Rule, Side
from kabao.cases.steps import Actor, CaseSteps
from kabao.cases.store import CaseRow, say_first_word
from kabao.evidence import clean_text
from kabao.identity import CASE_ROLES, Person
from kabao.kernel import Refusal, Refused
from kabao.postgres import Connection

Act: TypeAlias = Callable[[Connection, CaseRow, Side], Awaitable[Refused | None]]
SHARES_WRONG: Final = "三方的比例是 0 到 100 的整数，加起来是 100。"
DIFFERS: Final = "和按规则推出的结果不同，要写明为什么。"


class LadderService:
    """Lets support, the panel and the duty officer decide cases, and the parties ask for a review or waive it.

    Every staff step refuses NOT_FOUND, STAFF_CHECK_REQUIRED, NOT_ALLOWED (a party), RECUSED, CASE_CLOSED, ALREADY_RULED
    and NOT_YOUR_TURN, and what it names beside.
    """

    def __init__(self, steps: CaseSteps) -> None:
        self._steps = steps
        self._jobs = LadderJobs(steps)
        self.bank = BankSteps(steps)

    async def tick(self) -> int:
        """Do what time has come for, see `LadderJobs.tick`; returns how many cases moved."""
        return await self._jobs.tick()

    # ---- asking

    async def ask(self, staff: Person, ref: str, to: Side, body: str) -> CaseView | Refused:
        """Ask a party; the clock pauses, 12 hours in all a stage. Refuses INVALID_FIELDS (body), TOO_MANY_QUESTIONS."""
        text = clean_text(body, MAX_QUESTION_CHARS)

        async def act(conn: Connection, case: CaseRow, side: Side) -> Refused | None:
            if text is None:
                return _wrong("body", MAX_QUESTION_CHARS)
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
            questions = await store.questions(conn, case.shop_id, case.case_id)
            question = next((one for one in questions if one.question_id == question_id), None)
            # One of an earlier stage that was never answered holds no later stage's clock.
            others = [one for one in questions if one.question_id != question_id and one.stage == case.state.stage]
            still_open = 1 + sum(one.answered_at is None for one in others)
            pauses = await store.pauses(conn, case)
            clocked = rules.decide_reply(case.state, side, question, still_open, pauses, case.now)
            if isinstance(clocked, Refused):
                return clocked
            if text is None:
                return _wrong("body", MAX_STATEMENT_CHARS)
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

    # ---- deciding

    async def first_view(self, staff: Person, ref: str, wish: GiveFirstView) -> CaseView | Refused:
        """Put down what one thinks before the rulebook's suggestion is shown, once a stage.

        Refuses INVALID_FIELDS (outcome, shares, sentence), REPLACEMENT_NOT_ASKED, REFUND_OUT_OF_RANGE,
        DAMAGES_OUT_OF_RANGE, FIRST_VIEW_GIVEN.
        """
        sentence = clean_text(wish.sentence, MAX_SENTENCE_CHARS)

        async def act(conn: Connection, case: CaseRow, _side: Side) -> Refused | None:
            wrong = {} if wish.outcome in set(Outcome) else {"outcome": "选一种结果。"}
            if not wish.shares.is_whole:
                wrong["shares"] = SHARES_WRONG
            if sentence is None:
                wrong["sentence"] = f"写 1 到 {MAX_SENTENCE_CHARS} 个字。"
            if wrong or sentence is None:
                return Refused(Refusal.INVALID_FIELDS, wrong)
            amount = awards.ruled_amount(case.state, Outcome(wish.outcome), wish.refund_minor)
            if isinstance(amount, Refused):
                return amount
            refused = awards.check_damages(None, wish.damages_minor, case.state.price_minor)
            if refused is not None:
                return refused
            kept = await store.add_first_view(conn, case, staff.account_id, wish, amount, sentence)
            return None if kept else Refused(Refusal.FIRST_VIEW_GIVEN)

        return await self._decide(staff, ref, act)

    async def pass_on(self, staff: Person, ref: str, summary: str | None = None) -> CaseView | Refused:
        """Pass a case from support on to the panel, with a summary that everybody in the case reads.

        Refuses INVALID_FIELDS (summary).
        """
        text = None if summary is None else clean_text(summary, MAX_STATEMENT_CHARS)

        async def act(conn: Connection, case: CaseRow, side: Side) -> Refused | None:
            decision = rules.decide_pass_on(case.state, case.now)
            if isinstance(decision, Refused):
                return decision
            if summary is not None and text is None:
                return _wrong("summary", MAX_STATEMENT_CHARS)
            refused = await self._steps.take(conn, case, decision, Actor(staff.account_id, side))
            if refused is None and text is not None:
                place = (case.shop_id, case.order_id, staff.account_id)
                await self._steps.evidence.say(conn, *place, side, text)
            if refused is None:
                await self._jobs.seat_anew(conn, case)
            return refused

        return await self._decide(staff, ref, act)

    async def route_out(self, staff: Person, ref: str, reason: str) -> Refused | None:
        """Hand a case to an authority, where the rulebook answers so; both sides read why and where to go.

        A panellist who does so sees the case no longer. The money stays frozen and nobody settles; votes cast are void.
        Refuses INVALID_FIELDS (reason), FIRST_VIEW_NEEDED, ROUTED_OUT (it was before), NOT_ROUTED_OUT (the rulebook
        answers otherwise).
        """
        text = clean_text(reason, MAX_REASON_CHARS)
        judge = await self._judge(staff, ref)

        async def act(conn: Connection, case: CaseRow, side: Side) -> Refused | None:
            refused = await self._unread(conn, case, staff)
            if refused is not None:
                return refused
            beside = await self._steps.beside(conn, case, judge)
            said = None if beside is None or beside.decision is None else str(beside.decision["outcome"])
            decision = rules.decide_route_out(case.state, said, case.now)
            if isinstance(decision, Refused):
                return decision
            if text is None:
                return _wrong("reason", MAX_REASON_CHARS)
            await store.drop_votes(conn, case)
            if side is Side.SUPPORT:
                await say_first_word(conn, case, case.now)
            return await self._steps.take(conn, case, decision, Actor(staff.account_id, side), body=text)

        return await self._decided(staff, ref, act)

    async def route_back(self, staff: Person, ref: str, reason: str) -> Refused | None:
        """Give a case that was routed out to the panel, which rules on the money; both sides read why.

        Only the duty officer does; refuses NOT_YOUR_TURN, INVALID_FIELDS (reason).
        """
        text = clean_text(reason, MAX_REASON_CHARS)

        async def act(conn: Connection, case: CaseRow, side: Side) -> Refused | None:
            decision = rules.decide_route_back(case.state, case.now)
            if isinstance(decision, Refused):
                return decision
            if text is None:
                return _wrong("reason", MAX_REASON_CHARS)
            refused = await self._steps.take(conn, case, decision, Actor(staff.account_id, side), body=text)
            if refused is None:
                await self._jobs.seat_anew(conn, case)
            return refused

        return await self._decided(staff, ref, act, takes_back=True)

    async def rule(self, staff: Person, ref: str, wish: Rule) -> CaseView | Refused:
        """Hand a ruling in: support, who reviews, or the duty officer. Nobody else sees it for ten seconds.

        What the rulebook says at that moment is kept beside it. Refuses INVALID_FIELDS (facts, reasons, shares,
        differs_reason), FIRST_VIEW_NEEDED, REPLACEMENT_NOT_ASKED, REFUND_OUT_OF_RANGE, DAMAGES_OUT_OF_RANGE.
        """
        facts, reasons = clean_text(wish.facts, MAX_RULING_CHARS), clean_text(wish.reasons, MAX_RULING_CHARS)
        wrong = _texts_wrong(facts, reasons, wish.shares)
        why = clean_text(wish.differs_reason, MAX_RULING_CHARS) or ""
        judge = await self._judge(staff, ref)

        async def act(conn: Connection, case: CaseRow, side: Side) -> Refused | None:
            refused = rules.decide_submit(case.state) or await self._unread(conn, case, staff)
            if refused is not None:
                return refused
            if wrong:
                return Refused(Refusal.INVALID_FIELDS, wrong)
            amount = awards.ruled_amount(case.state, wish.outcome, wish.refund_minor)
            if isinstance(amount, Refused):
                return amount
            beside = await self._steps.beside(conn, case, judge)
            award = Award(amount, wish.damages_minor, replaces=wish.outcome is Outcome.REPLACEMENT)
            refused = _overdone(beside, case, award, why)
            if refused is not None:
                return refused
            handed = Handed(
                submission_id=self._steps.ids.next(),
                staff_id=staff.account_id,
                stage=RulingStage(case.state.stage.value),
                by_duty=side is Side.DUTY,
                outcome=wish.outcome,
                refund_minor=amount,
                damages_minor=wish.damages_minor,
                shares=wish.shares,
                facts=facts or "",
                reasons=reasons or "",
                differs_reason=why,
                dissent="",
                visible_at=case.now + UNDO,
            )
            await store.submit_ruling(conn, case, handed, beside)
            await draft_until(conn, case, staff.account_id, case.now + UNDO)
            return None

        return await self._decide(staff, ref, act)

    async def vote(self, staff: Person, ref: str, wish: CastVote) -> CaseView | Refused:
        """Vote on the panel, blind; with the last vote the panel's ruling is handed in.

        Refuses INVALID_FIELDS (facts, reasons, shares, differs_reason), FIRST_VIEW_NEEDED, ALREADY_VOTED,
        REPLACEMENT_NOT_ASKED, REFUND_OUT_OF_RANGE, DAMAGES_OUT_OF_RANGE.
        """
        facts, reasons = clean_text(wish.facts, MAX_RULING_CHARS), clean_text(wish.reasons, MAX_RULING_CHARS)
        wrong = _texts_wrong(facts, reasons, wish.shares)
        why = clean_text(wish.differs_reason, MAX_RULING_CHARS) or ""
        judge = await self._judge(staff, ref)

        async def act(conn: Connection, case: CaseRow, _side: Side) -> Refused | None:
            votes = await store.votes(conn, case.shop_id, case.case_id)
            has_voted = any(vote.panellist_id == staff.account_id for vote in votes)
            award = Award(wish.refund_minor, wish.damages_minor, wish.replaces)
            refused = rules.decide_vote(case.state, award, has_voted=has_voted)
            refused = refused or await self._unread(conn, case, staff)
            if refused is not None:
                return refused
            if wrong:
                return Refused(Refusal.INVALID_FIELDS, wrong)
            beside = await self._steps.beside(conn, case, judge)
            refused = _overdone(beside, case, award, why, upholds=wish.upholds)
            if refused is not None:
                return refused
            vote = Vote(
                panellist_id=staff.account_id,
                upholds=wish.upholds,
                refund_minor=wish.refund_minor,
                damages_minor=wish.damages_minor,
                replaces=wish.replaces,
                shares=wish.shares,
                facts=facts or "",
                reasons=reasons or "",
                differs_reason=why,
            )
            await store.add_vote(conn, case, self._steps.ids.next(), vote)
            seats = rules.panel_size(case.state.held_minor, case.state.windows)
            counted = rules.tally([*votes, vote], seats)
            # Only the last vote can be taken back.
            gone_at = case.now if counted is None else case.now + UNDO
            await draft_until(conn, case, staff.account_id, gone_at)
            if counted is not None:
                await self._hand_in(conn, case, staff, counted, beside)
            return None

        return await self._decide(staff, ref, act)

    async def take_back(self, staff: Person, ref: str) -> CaseView | Refused:
        """Take one's own ruling back while nobody else has seen it; on the panel, the last vote. Refuses UNDO_OVER."""

        async def act(conn: Connection, case: CaseRow, side: Side) -> Refused | None:
            refused = rules.decide_take_back(case.state, staff.account_id, case.now)
            pending = case.state.pending
            if refused is not None or pending is None:
                return refused
            await store.take_back_submission(conn, case, pending.submission_id)
            if side is Side.PANEL and case.state.stage is Stage.PANEL:
                await store.take_back_vote(conn, case, staff.account_id)
            await draft_until(conn, case, staff.account_id, case.now + DRAFT_KEPT)
            return None

        return await self._decide(staff, ref, act)

    async def recuse(self, staff: Person, ref: str, why: str) -> Refused | None:
        """Leave one's seat on a panel, before voting; another is drawn. Refuses INVALID_FIELDS (why) beside."""
        text = clean_text(why, MAX_SENTENCE_CHARS)
        async with self._steps.database.transaction() as conn:
            found = await self._steps.locked(conn, staff, ref)
            if isinstance(found, Refused):
                return found
            case, side = found
            votes = await store.votes(conn, case.shop_id, case.case_id)
            has_voted = case.state.stage is Stage.PANEL and any(one.panellist_id == staff.account_id for one in votes)
            refused = rules.decide_recuse(case.state, side, has_voted=has_voted)
            if refused is not None or text is None:
                return refused or _wrong("why", MAX_SENTENCE_CHARS)
            await store.leave_seat(conn, case, staff.account_id, text)
            actor = Actor(None, Side.PANEL)
            await self._steps.log(conn, case, "recused", actor, due_at=case.state.due_at)
            await self._jobs.seat_anew(conn, case)
        return None

    # ---- the parties, after a ruling

    async def ask_review(self, person: Person, ref: str, reason: str) -> CaseView | Refused:
        """Ask for a review of the ruling by somebody else, once, while its window is open.

        Refuses NOT_FOUND, NOT_ALLOWED (no party), CASE_CLOSED, NOT_YOUR_TURN, INVALID_FIELDS (reason).
        """
        text = clean_text(reason, MAX_REASON_CHARS)

        async def act(conn: Connection, case: CaseRow, side: Side) -> Refused | None:
            decision = rules.decide_review(case.state, side, case.now)
            if isinstance(decision, Refused):
                return decision
            if text is None:
                return _wrong("reason", MAX_REASON_CHARS)
            actor = Actor(person.account_id, side)
            said = await self._steps.masked(conn, case, actor, text)
            await store.add_review(conn, case, side, person.account_id, said)
            refused = await self._steps.take(conn, case, decision, actor, body=said)
            if refused is None:
                await self._jobs.seat_anew(conn, case)
            return refused

        return await self._act(person, ref, act)

    async def waive(self, person: Person, ref: str) -> CaseView | Refused:
        """Waive the review; once both sides have, the ruling is carried out at once, or as soon as there is money.

        Refuses NOT_FOUND, NOT_ALLOWED (no party), CASE_CLOSED, NOT_YOUR_TURN.
        """

        async def act(conn: Connection, case: CaseRow, side: Side) -> Refused | None:
            decision = rules.decide_waive(case.state, side)
            if isinstance(decision, Refused):
                return decision
            await store.add_waiver(conn, case, side, person.account_id)
            return await self._steps.carry_out(conn, case, decision, Actor(person.account_id, side))

        return await self._act(person, ref, act)

    # ---- what they share

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

    async def _judge(self, staff: Person, ref: str) -> Adjudicator | Refused:
        """Make the rulebook ready before anything is locked: what was ordered is bound for good."""
        found = await self._steps.seen_by(staff, ref)
        return found if isinstance(found, Refused) else await self._steps.rulebook.binding(found[0].placed_at)

    async def _unread(self, conn: Connection, case: CaseRow, staff: Person) -> Refused | None:
        viewed = await store.viewed_stages(conn, case.shop_id, case.case_id, staff.account_id)
        return None if case.state.stage in viewed else Refused(Refusal.FIRST_VIEW_NEEDED)

    async def _hand_in(
        self, conn: Connection, case: CaseRow, staff: Person, counted: Tally, beside: Beside | None
    ) -> None:
        handed = Handed(
            submission_id=self._steps.ids.next(),
            staff_id=staff.account_id,
            stage=RulingStage.PANEL,
            by_duty=False,
            outcome=awards.outcome_of(counted.award, case.state.held_minor),
            refund_minor=counted.award.refund_minor,
            damages_minor=counted.award.damages_minor,
            shares=counted.shares,
            facts=counted.facts,
            reasons=counted.reasons,
            differs_reason=counted.differs_reason,
            dissent="\n".join(counted.dissent),
            visible_at=case.now + UNDO,
        )
        await store.submit_ruling(conn, case, handed, beside)


def _overdone(beside: Beside | None, case: CaseRow, award: Award, why: str, *, upholds: bool = True) -> Refused | None:
    """Refuse damages out of all range, and what differs from what the rulebook suggests without saying why."""
    state = case.state
    suggested = awards.suggested_of(None if beside is None else beside.decision, state.demand, state.held_minor)
    refused = awards.check_damages(suggested, award.damages_minor, state.price_minor)
    if refused is None and awards.differs(suggested, award if upholds else Award(0)) and not why:
        return Refused(Refusal.INVALID_FIELDS, {"differs_reason": DIFFERS})
    return refused


def _texts_wrong(facts: str | None, reasons: str | None, shares: Shares) -> dict[str, str]:
    texts = {"facts": facts, "reasons": reasons}
    wrong = {name: f"写 1 到 {MAX_RULING_CHARS} 个字。" for name, text in texts.items() if text is None}
    return wrong if shares.is_whole else wrong | {"shares": SHARES_WRONG}


def _wrong(field: str, at_most: int) -> Refused:
    return Refused(Refusal.INVALID_FIELDS, {field: f"写 1 到 {at_most} 个字。"})
