"""The decisions above negotiation: what a deadline does, who may act, pauses, the draw, the votes, review and waiver.

Nothing here reads a clock or a database. Beyond negotiation silence is always somebody's of the staff, and the case
goes on to the next rung; what a ruling gives is moved when its window is over.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import msgspec

from kabao.cases.ladder.model import (
    QUESTIONS_AT_MOST,
    ROUTED_OUT_FOR,
    Award,
    Candidate,
    Grounds,
    Pause,
    Question,
    Shares,
    Tally,
    Vote,
    Windows,
)
from kabao.cases.machine import Stage
from kabao.cases.model import Action, CaseState, Decision, OfferState, Remedy, RoseWhy, Side, Turn
from kabao.kernel import Refusal, Refused

DECIDERS: Final = {Turn.SUPPORT: Side.SUPPORT, Turn.PANEL: Side.PANEL, Turn.DUTY: Side.DUTY}
"""Whose turn lets whom decide."""
SPANS: Final = {Stage.SUPPORT: "support", Stage.PANEL: "panel", Stage.REVIEW: "review"}
"""The stages in which somebody of the staff decides, and the name of their time in the rulebook's windows."""
ROUTE_OUT: Final = "ROUTE_OUT"
"""What the rulebook answers where an authority is to decide."""
THREE: Final = 3
SHORT_REPLY_HOURS: Final = 24


class Clocked(msgspec.Struct, frozen=True):
    """What a question or its answer does to the clock: the pause that begins or changes (None: none), the deadline."""

    pause: Pause | None
    due_at: datetime | None


# ---- times


def windows_of(parameters: Mapping[str, int], *, is_short: bool) -> Windows:
    """Take a case's times and amounts from the rulebook's parameters; what that version does not name has a default."""
    plain = Windows()
    reply = parameters.get("negotiation", plain.reply)
    if is_short:
        reply = min(reply, parameters.get("negotiation_green", SHORT_REPLY_HOURS))
    return Windows(
        reply=reply,
        first_word=parameters.get("support_first_word", plain.first_word),
        support=parameters.get("support_outcome", plain.support),
        pause=parameters.get("question_pause", plain.pause),
        panel=parameters.get("panel", plain.panel),
        three_from_minor=parameters.get("panel_three_from", plain.three_from_minor),
        ask_review=parameters.get("review_window", plain.ask_review),
        review=parameters.get("review", plain.review),
        duty=parameters.get("duty", plain.duty),
    )


def is_short(amount_minor: int, small_minor: int, *, is_first_purchase: bool, is_proved: bool) -> bool:
    """Tell whether negotiation is shortened: a small amount, a first purchase in the shop, or facts already proved."""
    return is_first_purchase or is_proved or amount_minor <= small_minor


def paused_for(pauses: Sequence[Pause]) -> timedelta:
    """Add the pauses of a stage up; they never overlap."""
    return sum((pause.ends_at - pause.began_at for pause in pauses), timedelta())


def running_until(pauses: Sequence[Pause], now: datetime) -> datetime | None:
    """Return when the pause that is running ends; None where a stage's clock runs."""
    return next((pause.ends_at for pause in pauses if pause.began_at <= now < pause.ends_at), None)


def due_of(stage: Stage, since: datetime, windows: Windows, pauses: Sequence[Pause]) -> datetime:
    """Compute when a stage in which staff decides is due: its time from its beginning, and its pauses."""
    hours: int = getattr(windows, SPANS[stage])
    return since + timedelta(hours=hours) + paused_for(pauses)


def first_word_due(stage: Stage, since: datetime, windows: Windows) -> datetime | None:
    """Tell until when support says its first word in a case that waits for it; None in every other stage.

    A word is a question, a message or a ruling that both sides see. Questions pause the outcome's clock, not this one.
    """
    return since + timedelta(hours=windows.first_word) if stage is Stage.SUPPORT else None


def decide_ask(case: CaseState, to: Side, pauses: Sequence[Pause], asked: int, now: datetime) -> Clocked | Refused:
    """Ask a party something: the clock pauses by what is left of the stage's pauses, unless it stands still already.

    Who may ask is `may_decide`. Refuses NOT_ALLOWED (a question to no party), TOO_MANY_QUESTIONS.
    """
    if not to.is_party:
        return Refused(Refusal.NOT_ALLOWED)
    if asked >= QUESTIONS_AT_MOST:
        return Refused(Refusal.TOO_MANY_QUESTIONS)
    left = timedelta(hours=case.windows.pause) - paused_for(pauses)
    is_paused = any(pause.began_at <= now < pause.ends_at for pause in pauses)
    # Under the duty officer, and just before he gets the case, the stage's own time is over: there is nothing to pause.
    is_over = case.due_at is None or case.due_at <= now or case.turn is Turn.DUTY
    if is_over or is_paused or left <= timedelta():
        return Clocked(None, case.due_at)
    pause = Pause(now, now + left)
    return Clocked(pause, _due(case, [*pauses, pause]))


def decide_reply(
    case: CaseState, side: Side, question: Question | None, still_open: int, pauses: Sequence[Pause], now: datetime
) -> Clocked | Refused:
    """Answer a question; with the last open one a pause that is running ends.

    Refuses NOT_FOUND, NOT_ALLOWED (not asked of this side), CASE_CLOSED, QUESTION_ANSWERED.
    """
    if question is None:
        return Refused(Refusal.NOT_FOUND)
    if question.to_role != side:
        return Refused(Refusal.NOT_ALLOWED)
    if not case.stage.is_open:
        return Refused(case.stage.closed_as)
    if not question.is_open:
        return Refused(Refusal.QUESTION_ANSWERED)
    running = next((pause for pause in pauses if pause.began_at <= now < pause.ends_at), None)
    if still_open > 1 or running is None or case.due_at is None:
        return Clocked(None, case.due_at)
    ended = Pause(running.began_at, now)
    return Clocked(ended, _due(case, [ended if pause is running else pause for pause in pauses]))


def _due(case: CaseState, pauses: Sequence[Pause]) -> datetime:
    return due_of(case.stage, case.stage_since or case.opened_at, case.windows, pauses)


def decide_due(  # noqa: PLR0911  one answer a stage
    case: CaseState, now: datetime, supported: Award | None
) -> Decision | None:
    """Tell what a passed deadline does; None where there is nothing to do.

    `supported` is what of the demand the rulebook supports on the facts known (None: nothing): a claim that a merchant
    leaves unanswered stands so far, unless a party wants a person. A ruling handed in in time is waited for.
    """
    if case.due_at is None or now < case.due_at or case.pending is not None:
        return None
    over = _OVER.get((case.stage, case.turn))
    if over is not None:
        return _executed(case, "green_stood" if over == "stood" and case.green_minor is not None else over)
    match case.stage:
        case Stage.NEGOTIATION if case.turn is Turn.MERCHANT and supported is not None and not case.person_asked:
            return decide_publish(case, supported, now)
        case Stage.NEGOTIATION:
            silent = RoseWhy.MERCHANT_SILENT if case.turn is Turn.MERCHANT else RoseWhy.BUYER_SILENT
            return rise_to_support(case, now, silent)
        case Stage.SUPPORT:
            return rise_to_panel(case, now, RoseWhy.SUPPORT_LATE)
        case Stage.ROUTED_OUT:
            return rise_to_panel(case, now, RoseWhy.ROUTED_LONG)
        case Stage.PANEL if case.turn is Turn.PANEL:
            return _moved(case, "overdue", Turn.DUTY, case.due_at)
        case Stage.REVIEW if case.turn is Turn.PANEL:
            return _moved(case, "overdue", Turn.DUTY, now + timedelta(hours=case.windows.duty))
        case _:
            return None


_OVER: Final = {
    (Stage.RULED_OPEN, Turn.PARTIES): "executed",
    (Stage.RULED_OPEN, Turn.NOBODY): "covered",
    (Stage.GREEN, Turn.PARTIES): "green_over",
    (Stage.REVIEW, Turn.NOBODY): "covered",
    (Stage.REVIEW, Turn.DUTY): "stood",
}
"""How a case ends by time alone, by its stage and turn."""


def rise_to_support(case: CaseState, now: datetime, why: RoseWhy) -> Decision:
    """Lift a negotiation to support."""
    due_at = now + timedelta(hours=case.windows.support)
    return Decision(kind="rose", stage=Stage.SUPPORT, turn=Turn.SUPPORT, due_at=due_at, rose_why=why)


def rise_to_panel(case: CaseState, now: datetime, why: RoseWhy) -> Decision:
    """Lift a case from support, or from where an authority has had its time, to the panel."""
    due_at = now + timedelta(hours=case.windows.panel)
    return Decision(kind="rose", stage=Stage.PANEL, turn=Turn.PANEL, due_at=due_at, rose_why=why)


# ---- who may act


def may_decide(
    case: CaseState, side: Side, account_id: int, barred: frozenset[int], *, takes_back: bool = False
) -> Refused | None:
    """Let only those decide whose turn it is, and nobody who spoke as a party or ruled in the case before (`barred`).

    In a case that was routed out nothing is decided; the duty officer may only take it back (`takes_back`). Refuses
    NOT_ALLOWED (a party), RECUSED, CASE_CLOSED, ALREADY_RULED, NOT_YOUR_TURN, ROUTED_OUT.
    """
    if side.is_party:
        return Refused(Refusal.NOT_ALLOWED)
    if not case.stage.is_open:
        return Refused(case.stage.closed_as)
    if case.stage in {Stage.GREEN, Stage.RULED_OPEN}:
        return Refused(Refusal.ALREADY_RULED)
    if DECIDERS.get(case.turn) is not side:
        return Refused(Refusal.NOT_YOUR_TURN)
    if case.stage is Stage.ROUTED_OUT and not takes_back:
        return Refused(Refusal.ROUTED_OUT)
    return Refused(Refusal.RECUSED) if account_id in barred else None


def decide_pass_on(case: CaseState, now: datetime) -> Decision | Refused:
    """Let support pass a case on to the panel; who may is `may_decide`. Refuses NOT_YOUR_TURN, ALREADY_RULED."""
    if case.stage is not Stage.SUPPORT:
        return Refused(Refusal.NOT_YOUR_TURN)
    if case.pending is not None:
        return Refused(Refusal.ALREADY_RULED)
    return rise_to_panel(case, now, RoseWhy.SUPPORT_ASKED)


def decide_route_out(case: CaseState, outcome: str | None, now: datetime) -> Decision | Refused:
    """Hand a case to an authority where the rulebook answers so (`outcome`), once; the money stays as it is.

    Who may is `may_decide`. Refuses NOT_YOUR_TURN (a review), ALREADY_RULED (a ruling handed in), ROUTED_OUT (it was
    before), NOT_ROUTED_OUT.
    """
    if case.stage not in {Stage.SUPPORT, Stage.PANEL}:
        return Refused(Refusal.NOT_YOUR_TURN)
    if case.pending is not None:
        return Refused(Refusal.ALREADY_RULED)
    if case.was_routed_out:
        return Refused(Refusal.ROUTED_OUT)
    if outcome != ROUTE_OUT:
        return Refused(Refusal.NOT_ROUTED_OUT)
    return Decision(
        kind="routed_out",
        stage=Stage.ROUTED_OUT,
        turn=Turn.DUTY,
        due_at=now + ROUTED_OUT_FOR,
        offer_becomes=None if case.offer is None else OfferState.LAPSED,
    )


def decide_route_back(case: CaseState, now: datetime) -> Decision | Refused:
    """Let the duty officer give a case to the panel before the time of the authority is over; refuses NOT_YOUR_TURN."""
    if case.stage is not Stage.ROUTED_OUT:
        return Refused(Refusal.NOT_YOUR_TURN)
    due_at = now + timedelta(hours=case.windows.panel)
    return Decision(kind="routed_back", stage=Stage.PANEL, turn=Turn.PANEL, due_at=due_at)


# ---- rulings


def decide_submit(case: CaseState) -> Refused | None:
    """Let a ruling be handed in, one at a time; the panel votes instead of ruling.

    Who may is `may_decide`. Refuses NOT_YOUR_TURN (the panel's own turn), ALREADY_RULED.
    """
    if case.stage is Stage.PANEL and case.turn is Turn.PANEL:
        return Refused(Refusal.NOT_YOUR_TURN)
    return None if case.pending is None else Refused(Refusal.ALREADY_RULED)


def decide_publish(case: CaseState, award: Award, now: datetime) -> Decision:
    """Make a ruling known: money waits for a review to be asked for, and moves at once after a review."""
    lapsed = None if case.offer is None else OfferState.LAPSED
    if case.stage is Stage.REVIEW:
        kind = "reviewed"
        if case.green_minor is not None:
            kind = "green_kept" if award.refund_minor == case.green_minor else "green_reversed"
        return Decision(
            kind=kind,
            stage=Stage.EXECUTED,
            turn=Turn.NOBODY,
            due_at=None,
            offer_becomes=lapsed,
            refund_minor=award.refund_minor,
            award=award,
        )
    return Decision(
        kind="ruled",
        stage=Stage.RULED_OPEN,
        turn=Turn.PARTIES,
        due_at=now + timedelta(hours=case.windows.ask_review),
        offer_becomes=lapsed,
        refund_minor=award.refund_minor,
        award=award,
    )


def decide_wait(case: CaseState, decision: Decision, now: datetime) -> Decision | None:
    """Let a ruling that the reserve cannot pay yet wait for money where it stands; None where it waits already.

    It is known and beyond review by then, so it is nobody's turn, and each tick tries again.
    """
    if case.turn is Turn.NOBODY:
        return None
    kind = decision.kind if decision.kind in {"reviewed", "green_reversed", "waived_both"} else "short"
    return msgspec.structs.replace(decision, kind=kind, stage=case.stage, turn=Turn.NOBODY, due_at=now)


def decide_take_back(case: CaseState, account_id: int, now: datetime) -> Refused | None:
    """Let the author of a ruling take it back while nobody else has seen it; refuses UNDO_OVER."""
    pending = case.pending
    if pending is None or pending.staff_id != account_id or now >= pending.visible_at:
        return Refused(Refusal.UNDO_OVER)
    return None


def decide_review(case: CaseState, side: Side, now: datetime) -> Decision | Refused:
    """Ask for a review, once; who waived it cannot, nor a buyer who was given everything at once.

    Refuses NOT_ALLOWED, CASE_CLOSED, NOT_YOUR_TURN.
    """
    refused = _party_after_ruling(case, side)
    if refused is not None:
        return refused
    due_at = now + timedelta(hours=case.windows.review)
    return Decision(kind="review_asked", stage=Stage.REVIEW, turn=Turn.PANEL, due_at=due_at)


def decide_waive(case: CaseState, side: Side) -> Decision | Refused:
    """Waive the review; once both sides have, the ruling is carried out at once. One carried out already ends with it.

    Refuses NOT_ALLOWED, CASE_CLOSED, NOT_YOUR_TURN (nothing ruled, or waived already).
    """
    refused = _party_after_ruling(case, side)
    if refused is not None:
        return refused
    if case.stage is Stage.GREEN:
        return _executed(case, "green_waived")
    if case.ruling is not None and case.ruling.waived_by:
        return _executed(case, "waived_both")
    return _moved(case, "waived", case.turn, case.due_at)


# ---- the panel


def panel_size(amount_minor: int, windows: Windows) -> int:
    """Tell how many panellists decide."""
    return THREE if amount_minor >= windows.three_from_minor else 1


def draw(candidates: Sequence[Candidate], seed: str, count: int) -> list[int]:
    """Draw panellists: those with the fewest open seats, among equals by the seed; the same seed draws the same."""

    def lot(one: Candidate) -> tuple[int, bytes]:
        return one.open_seats, sha256(f"{seed}:{one.panellist_id}".encode()).digest()

    return [one.panellist_id for one in sorted(candidates, key=lot)[: max(count, 0)]]


def decide_vote(case: CaseState, award: Award, *, has_voted: bool) -> Refused | None:
    """Let a panellist vote once; who may is `may_decide`.

    Refuses NOT_YOUR_TURN (no panel), ALREADY_VOTED, REPLACEMENT_NOT_ASKED, REFUND_OUT_OF_RANGE.
    """
    if case.stage is not Stage.PANEL or case.turn is not Turn.PANEL:
        return Refused(Refusal.NOT_YOUR_TURN)
    if has_voted:
        return Refused(Refusal.ALREADY_VOTED)
    if award.replaces and case.demand is not Remedy.REPLACEMENT:
        return Refused(Refusal.REPLACEMENT_NOT_ASKED)
    return None if 0 < award.refund_minor <= case.held_minor else Refused(Refusal.REFUND_OUT_OF_RANGE)


def tally(votes: Sequence[Vote], seats: int) -> Tally | None:
    """Count the votes issue by issue; None before everybody has voted.

    First whether the claim stands, by majority; then everybody's amounts and shares count, also of who was outvoted,
    by the median, and whether there are new keys, by majority. The words and grounds are those of the majority's vote
    nearest to the amount. Medians of shares sum to at most 100, so the platform's is what is left of them.
    """
    if not votes or len(votes) < seats:
        return None
    upholds = 2 * sum(vote.upholds for vote in votes) > len(votes)
    award = _awarded(votes) if upholds else Award(0)
    buyer, merchant = (_median([getattr(vote.shares, name) for vote in votes]) for name in ("buyer", "merchant"))
    majority = [vote for vote in votes if vote.upholds is upholds]
    voice = min(majority, key=lambda vote: (abs(vote.refund_minor - award.refund_minor), vote.panellist_id))
    return Tally(
        upholds=upholds,
        award=award,
        shares=Shares(buyer=buyer, merchant=merchant, platform=100 - buyer - merchant),
        facts=voice.facts,
        reasons=voice.reasons,
        differs_reason=voice.differs_reason,
        dissent=[vote.reasons for vote in votes if vote.upholds is not upholds],
        grounds=Grounds.of_majority([voice.grounds, *(vote.grounds for vote in majority)]),
        seen=sorted({key for vote in majority for key in vote.seen}),
    )


def decide_recuse(case: CaseState, side: Side, *, has_voted: bool) -> Refused | None:
    """Let a panellist leave his seat before he decides.

    Refuses NOT_ALLOWED, CASE_CLOSED, ALREADY_VOTED, ALREADY_RULED.
    """
    if side is not Side.PANEL:
        return Refused(Refusal.NOT_ALLOWED)
    if not case.stage.is_open:
        return Refused(case.stage.closed_as)
    if has_voted:
        return Refused(Refusal.ALREADY_VOTED)
    decided = case.pending is not None or case.stage not in {Stage.PANEL, Stage.REVIEW}
    return Refused(Refusal.ALREADY_RULED) if decided else None


# ---- what pages offer


def allowed_actions(
    case: CaseState,
    side: Side,
    account_id: int,
    barred: frozenset[int],
    *,
    has_first_view: bool,
    has_voted: bool,
    is_asked: bool,
    now: datetime,
) -> frozenset[Action]:
    """Tell which steps of the ladder would not be refused now; `is_asked` tells of a question still to be answered."""
    allowed = set()
    if is_asked and case.stage.is_open:
        allowed.add(Action.REPLY)
    if isinstance(decide_review(case, side, now), Decision):
        allowed |= {Action.ASK_REVIEW, Action.WAIVE}
    if decide_take_back(case, account_id, now) is None:
        allowed.add(Action.TAKE_BACK)
    if may_decide(case, side, account_id, barred) is None:
        allowed.add(Action.ASK)
        allowed |= _deciding(case, now, has_first_view=has_first_view, has_voted=has_voted)
    if case.stage is Stage.ROUTED_OUT and may_decide(case, side, account_id, barred, takes_back=True) is None:
        allowed.add(Action.ROUTE_BACK)
    if decide_recuse(case, side, has_voted=has_voted) is None:
        allowed.add(Action.RECUSE)
    return frozenset(allowed)


def _deciding(case: CaseState, now: datetime, *, has_first_view: bool, has_voted: bool) -> set[Action]:
    allowed = set() if isinstance(decide_pass_on(case, now), Refused) else {Action.PASS_ON}
    if not has_first_view:
        return allowed | {Action.FIRST_VIEW}
    if decide_submit(case) is None:
        allowed.add(Action.RULE)
    if decide_vote(case, Award(case.held_minor), has_voted=has_voted) is None:
        allowed.add(Action.VOTE)
    return allowed


def _awarded(votes: Sequence[Vote]) -> Award:
    return Award(
        _median([vote.refund_minor for vote in votes]),
        _median([vote.damages_minor for vote in votes]),
        replaces=2 * sum(vote.replaces for vote in votes) > len(votes),
    )


def _median(numbers: Sequence[int]) -> int:
    return sorted(numbers)[(len(numbers) - 1) // 2]


def _party_after_ruling(case: CaseState, side: Side) -> Refused | None:
    if not side.is_party:
        return Refused(Refusal.NOT_ALLOWED)
    if not case.stage.is_open:
        return Refused(case.stage.closed_as)
    if case.stage is Stage.GREEN:
        return None if side is Side.MERCHANT else Refused(Refusal.NOT_ALLOWED)
    has_waived = case.ruling is not None and side.value in case.ruling.waived_by
    is_open = case.stage is Stage.RULED_OPEN and case.turn is not Turn.NOBODY
    return None if is_open and not has_waived else Refused(Refusal.NOT_YOUR_TURN)


def _moved(case: CaseState, kind: str, turn: Turn, due_at: datetime | None) -> Decision:
    return Decision(kind=kind, stage=case.stage, turn=turn, due_at=due_at)


def _executed(case: CaseState, kind: str) -> Decision:
    award = Award(0) if case.ruling is None else case.ruling.award
    return Decision(
        kind=kind,
        stage=Stage.EXECUTED,
        turn=Turn.NOBODY,
        due_at=None,
        refund_minor=award.refund_minor,
        award=award,
    )
