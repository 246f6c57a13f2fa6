"""Two at once: one wins, the other is told why, and the books agree with the winner."""

from pathlib import Path

import pytest

from dispute import HANDED_IN, HOUR, MERCHANTS, WISH, Desk, code, race, seen, winners
from kabao.cases import CaseView, MakeOffer, Outcome, Remedy, Rule, Stage
from kabao.kernel import Refusal, Refused
from kabao.postgres import Database

ROUNDS = 8
REFUND_ALL = Rule(shares=MERCHANTS, outcome=Outcome.FULL_REFUND, facts="事实", reasons="理由")
PART = MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=6000)


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    return await Desk.ready(database, tmp_path, keys=ROUNDS * 2)


async def offered(desk: Desk, *, at_support: bool = False) -> tuple[CaseView, int]:
    case = await (desk.at_support() if at_support else desk.case())
    made = seen(await desk.cases.offer(desk.market.owner, case.ref, PART))
    return made, made.offers[-1].offer_id


async def test_two_openings_make_one_case(desk: Desk) -> None:
    for _ in range(ROUNDS):
        ref = desk.order_ref(await desk.bought())
        answers = await race(*(desk.cases.open(desk.market.buyer, ref, WISH) for _ in range(4)))
        assert winners(answers) == 1
        assert {code(answer) for answer in answers if isinstance(answer, Refused)} == {Refusal.IN_CASE}


async def test_two_acceptances_pay_once(desk: Desk) -> None:
    for _ in range(ROUNDS):
        case, offer_id = await offered(desk)
        answers = await race(*(desk.cases.accept(desk.market.buyer, case.ref, offer_id) for _ in range(3)))
        assert winners(answers) == 1
        assert await desk.escrow(case) == ("split", 6000, 3650, 73)


async def test_an_acceptance_and_a_withdrawal_end_a_case_once(desk: Desk) -> None:
    for _ in range(ROUNDS):
        case, offer_id = await offered(desk)
        answers = await race(
            desk.cases.accept(desk.market.buyer, case.ref, offer_id),
            desk.cases.withdraw(desk.market.buyer, case.ref),
        )
        assert winners(answers) == 1
        state = (await desk.escrow(case))[0]
        assert state == ("split" if isinstance(answers[0], CaseView) else "held")


async def test_an_acceptance_and_a_ruling_becoming_visible_have_one_winner(desk: Desk) -> None:
    for _ in range(ROUNDS):
        case, offer_id = await offered(desk, at_support=True)
        await desk.handed_in(case, REFUND_ALL)
        desk.pass_time(HANDED_IN)
        accepted, published = await race(
            desk.cases.accept(desk.market.buyer, case.ref, offer_id),
            desk.cases.tick(),  # type: ignore[arg-type]  # counts instead of showing
        )
        state = (await desk.escrow(case))[0]
        if isinstance(accepted, CaseView):
            assert (published, state) == (0, "split")
        else:
            assert (published, code(accepted), state) == (1, Refusal.ALREADY_RULED, "disputed")


async def test_two_offers_leave_one_open(desk: Desk) -> None:
    case = await desk.case()
    answers = await race(
        *(desk.cases.offer(desk.market.owner, case.ref, PART) for _ in range(3)),
        *(desk.cases.offer(desk.market.buyer, case.ref, PART) for _ in range(3)),
    )
    assert winners(answers) == 6
    after = seen(await desk.cases.case(desk.market.buyer, case.ref))
    assert sum(offer.state == "open" for offer in after.offers) == 1


async def test_the_deadline_and_an_answer_meet(desk: Desk) -> None:
    for _ in range(ROUNDS):
        case = await desk.case()
        desk.pass_time(48 * HOUR)
        risen, answer = await race(
            desk.cases.tick(),  # type: ignore[arg-type]  # counts instead of showing
            desk.cases.answer(desk.market.owner, case.ref, "来得及吗。"),
        )
        after = seen(await desk.cases.case(desk.market.buyer, case.ref))
        if isinstance(answer, Refused):
            assert (risen, answer.code, after.stage) == (1, Refusal.NOT_YOUR_TURN, Stage.SUPPORT)
        else:
            assert (risen, after.stage) == (0, Stage.NEGOTIATION)
        seen(await desk.cases.withdraw(desk.market.buyer, case.ref))


async def test_several_ticks_lift_a_case_once(desk: Desk) -> None:
    for _ in range(ROUNDS):
        await desk.case()
    desk.pass_time(48 * HOUR)
    risen = await race(*(desk.cases.tick() for _ in range(4)))  # type: ignore[arg-type]
    assert sum(risen) == ROUNDS  # type: ignore[arg-type]


async def test_a_case_and_a_confirmation_have_one_winner(desk: Desk) -> None:
    for _ in range(ROUNDS):
        ref = desk.order_ref(await desk.bought())
        opened, confirmed = await race(
            desk.cases.open(desk.market.buyer, ref, WISH),
            desk.orders.confirm(desk.market.buyer, ref),  # type: ignore[arg-type]
        )
        # Where the confirmation was first, the case is a claim after the release; where the case was, nothing goes out.
        case = seen(opened)
        if isinstance(confirmed, Refused):
            assert code(confirmed) is Refusal.IN_CASE
            assert (await desk.escrow(case))[0] == "disputed"
        else:
            assert (await desk.escrow(case))[0] == "released"
