"""Cases on every rung of the ladder as plain values, for tests of its rules."""

from datetime import UTC, datetime, timedelta

import msgspec

from kabao.cases.ladder.model import Award, Pending, RulingStage, Standing, Windows
from kabao.cases.machine import Stage
from kabao.cases.model import CaseState, Decision, OpenOffer, Remedy, Side, Turn
from kabao.kernel import Refusal, Refused

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HELD = 9650
HOUR = timedelta(hours=1)
WINDOWS = Windows()
STANDING = Standing(ruling_no=1, stage=RulingStage.SUPPORT, award=Award(4000))
NOBODY: frozenset[int] = frozenset()


def case(stage: Stage, turn: Turn, due: float | None = 48, **more: object) -> CaseState:
    plain = CaseState(
        stage=stage,
        turn=turn,
        due_at=None if due is None else NOON + due * HOUR,
        opened_at=NOON,
        answered_at=None,
        demand=Remedy.FULL_REFUND,
        demand_minor=HELD,
        held_minor=HELD,
        price_minor=HELD,
        offer=None,
        stage_since=NOON,
    )
    return msgspec.structs.replace(plain, **more)


SILENT_MERCHANT = case(Stage.NEGOTIATION, Turn.MERCHANT)
AT_SUPPORT = case(Stage.SUPPORT, Turn.SUPPORT)
AT_PANEL = case(Stage.PANEL, Turn.PANEL, 72)
OVERTIME = case(Stage.PANEL, Turn.DUTY, 72)
ROUTED = case(Stage.ROUTED_OUT, Turn.DUTY, 720, was_routed_out=True)
RULED = case(Stage.RULED_OPEN, Turn.PARTIES, 168, ruling=STANDING)
IN_REVIEW = case(Stage.REVIEW, Turn.PANEL, 72, ruling=STANDING)
REVIEW_OVERTIME = case(Stage.REVIEW, Turn.DUTY, 72, ruling=STANDING)
WAITING = case(Stage.RULED_OPEN, Turn.NOBODY, 168, ruling=STANDING)
CLOSED = case(Stage.EXECUTED, Turn.NOBODY, None, ruling=STANDING)
PENDING = Pending(submission_id=5, staff_id=7, visible_at=NOON + timedelta(seconds=10))
OFFER = OpenOffer(offer_id=1, by_role=Side.BUYER, kind=Remedy.FULL_REFUND, refund_minor=HELD)


def handed_in(state: CaseState) -> CaseState:
    return msgspec.structs.replace(state, pending=PENDING)


def code(answer: object) -> Refusal:
    assert isinstance(answer, Refused), answer
    return answer.code


def done(answer: Decision | Refused | None) -> Decision:
    assert isinstance(answer, Decision), answer
    return answer
