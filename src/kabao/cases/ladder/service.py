"""The use cases of those who decide and of the parties after a ruling, one transaction each, the case locked first."""

from typing import Final

from msgspec.structs import replace

from kabao.adjudication import Adjudicator
from kabao.cases.desk.model import DRAFT_KEPT
from kabao.cases.desk.store import draft_until
from kabao.cases.ladder import awards, rules, store
from kabao.cases.ladder.asking import Asking, wrong_text
from kabao.cases.ladder.bank import BankSteps
from kabao.cases.ladder.grounding import BOTH, grounded, named, open_questions, points_of, suggestion, unread_of
from kabao.cases.ladder.grounds import Point
from kabao.cases.ladder.jobs import LadderJobs
from kabao.cases.ladder.model import (
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
from kabao.identity import Person
from kabao.kernel import Refusal, Refused
from kabao.postgres import Connection

SHARES_WRONG: Final = "三方的比例是 0 到 100 的整数，加起来是 100。"
DIFFERS: Final = "和按规则推出的结果不同，要写明为什么。"


class LadderService(Asking):
    """Lets support, the panel and the duty officer decide cases, and the parties ask for a review or waive it.

    Every staff step refuses NOT_FOUND, STAFF_CHECK_REQUIRED, NOT_ALLOWED (a party), RECUSED, CASE_CLOSED, ALREADY_RULED
    and NOT_YOUR_TURN, and what it names beside.
    """

    def __init__(self, steps: CaseSteps) -> None:
        super().__init__(steps)
        self._jobs = LadderJobs(steps)
        self.bank = BankSteps(steps)

    async def tick(self) -> int:
        """Do what time has come for, see `LadderJobs.tick`; returns how many cases moved."""
        return await self._jobs.tick()

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
                return wrong_text("summary", MAX_STATEMENT_CHARS)
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
                return wrong_text("reason", MAX_REASON_CHARS)
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
                return wrong_text("reason", MAX_REASON_CHARS)
            refused = await self._steps.take(conn, case, decision, Actor(staff.account_id, side), body=text)
            if refused is None:
                await self._jobs.seat_anew(conn, case)
            return refused

        return await self._decided(staff, ref, act, takes_back=True)

    async def rule(self, staff: Person, ref: str, wish: Rule) -> CaseView | Refused:
        """Hand a ruling in: support, who reviews, or the duty officer. Nobody else sees it for ten seconds.

        What the rulebook says at that moment, of what had been read, is kept beside it. Refuses INVALID_FIELDS (facts,
        reasons, shares, differs_reason, read, take_ and why_ with a point's key, articles, laws, unanswered),
        FIRST_VIEW_NEEDED,
        REPLACEMENT_NOT_ASKED, REFUND_OUT_OF_RANGE, DAMAGES_OUT_OF_RANGE.
        """
        facts, reasons = clean_text(wish.facts, MAX_RULING_CHARS), clean_text(wish.reasons, MAX_RULING_CHARS)
        wrong = _texts_wrong(facts, reasons, wish.shares)
        why = clean_text(wish.differs_reason, MAX_RULING_CHARS) or ""
        judge = await self._judge(staff, ref)

        async def act(conn: Connection, case: CaseRow, side: Side) -> Refused | None:
            refused = rules.decide_submit(case.state) or await self._unread(conn, case, staff)
            if refused is not None:
                return refused
            amount = awards.ruled_amount(case.state, wish.outcome, wish.refund_minor)
            if isinstance(amount, Refused):
                return Refused(Refusal.INVALID_FIELDS, wrong) if wrong else amount
            unread = await unread_of(conn, case, wish.read, wish.grounds)
            beside = await self._steps.beside(conn, case, judge, unread)
            award = Award(amount, wish.damages_minor, replaces=wish.outcome is Outcome.REPLACEMENT)
            held = await grounded(conn, case, judge, beside, wish.grounds, award, read=wish.read)
            refused = _overdone(beside, case, award, why, wrong | held.wrong)
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
                grounds=named(held.grounds, beside, case, award),
                seen=held.seen,
                visible_at=case.now + UNDO,
            )
            await store.submit_ruling(conn, case, handed, beside)
            await draft_until(conn, case, staff.account_id, case.now + UNDO)
            return None

        return await self._decide(staff, ref, act)

    async def vote(self, staff: Person, ref: str, wish: CastVote) -> CaseView | Refused:
        """Vote on the panel, blind; with the last vote the panel's ruling is handed in.

        Every point of both sides is answered, since nobody knows yet who will lose. Refuses INVALID_FIELDS (as `rule`),
        FIRST_VIEW_NEEDED, ALREADY_VOTED, REPLACEMENT_NOT_ASKED, REFUND_OUT_OF_RANGE, DAMAGES_OUT_OF_RANGE.
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
            unread = await unread_of(conn, case, wish.read, wish.grounds)
            beside = await self._steps.beside(conn, case, judge, unread)
            given = award if wish.upholds else Award(0)
            held = await grounded(conn, case, judge, beside, wish.grounds, given, read=wish.read, sides=BOTH)
            refused = _overdone(beside, case, award, why, wrong | held.wrong, upholds=wish.upholds)
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
                grounds=held.grounds,
                seen=held.seen,
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

    async def points(self, person: Person, ref: str) -> list[Point] | Refused:
        """List what each party brought forward, for whoever may see the case; who rules answers it point by point."""
        async with self._steps.database.connection() as conn:
            found = await self._steps.found(conn, person, ref)
            return found if isinstance(found, Refused) else await points_of(conn, found[0])

    async def wanting(self, staff: Person, ref: str, wish: Rule, *, is_vote: bool = False) -> dict[str, str] | Refused:
        """Tell what a ruling, or what a vote asks for, still lacks, as handing it in would; nothing is written.

        Refuses NOT_FOUND, FIRST_VIEW_NEEDED.
        """
        judge = await self._judge(staff, ref)
        async with self._steps.database.connection() as conn:
            found = await self._steps.found(conn, staff, ref)
            if isinstance(found, Refused):
                return found
            case = found[0]
            refused = await self._unread(conn, case, staff)
            amount = awards.ruled_amount(case.state, wish.outcome, wish.refund_minor)
            if refused is not None or isinstance(amount, Refused):
                return refused or (amount if isinstance(amount, Refused) else {})
            unread = await unread_of(conn, case, wish.read, wish.grounds)
            beside = await self._steps.beside(conn, case, judge, unread)
            award = Award(amount, wish.damages_minor, replaces=wish.outcome is Outcome.REPLACEMENT)
            sides = BOTH if is_vote else None
            held = await grounded(conn, case, judge, beside, wish.grounds, award, read=wish.read, sides=sides)
            refused = _overdone(beside, case, award, wish.differs_reason, held.wrong)
        return {} if refused is None else refused.fields or refused

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

        answer = await self._decide(staff, ref, act)
        is_late = isinstance(answer, Refused) and answer.code is Refusal.ALREADY_RULED
        return Refused(Refusal.UNDO_OVER) if is_late else answer

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
                return refused or wrong_text("why", MAX_SENTENCE_CHARS)
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
                return wrong_text("reason", MAX_REASON_CHARS)
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
        grounds = named(counted.grounds, beside, case, counted.award)
        if not await open_questions(conn, case):
            grounds = replace(grounds, unanswered="")
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
            grounds=grounds,
            seen=counted.seen,
            visible_at=case.now + UNDO,
        )
        await store.submit_ruling(conn, case, handed, beside)


def _overdone(
    beside: Beside | None, case: CaseRow, award: Award, why: str, wrong: dict[str, str], *, upholds: bool = True
) -> Refused | None:
    """Refuse damages out of all range, what differs from the rulebook's suggestion without saying why, and `wrong`."""
    suggested = suggestion(beside, case)
    refused = awards.check_damages(suggested, award.damages_minor, case.state.price_minor)
    if refused is not None:
        return refused
    if awards.differs(suggested, award if upholds else Award(0)) and not why:
        wrong = {"differs_reason": DIFFERS, **wrong}
    return Refused(Refusal.INVALID_FIELDS, wrong) if wrong else None


def _texts_wrong(facts: str | None, reasons: str | None, shares: Shares) -> dict[str, str]:
    texts = {"facts": facts, "reasons": reasons}
    wrong = {name: f"写 1 到 {MAX_RULING_CHARS} 个字。" for name, text in texts.items() if text is None}
    return wrong if shares.is_whole else wrong | {"shares": SHARES_WRONG}
