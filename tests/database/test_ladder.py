"""A case on the upper rungs, as those who decide and the parties live through it: questions, votes, review, duty."""

import re
from pathlib import Path

import msgspec
import pytest

from dispute import BUYERS, FIRST_VIEW, HANDED_IN, HOUR, MERCHANTS, TO_ASK, WISH, Desk, code, seen
from kabao.adjudication.service import packaged_book
from kabao.cases import (
    RULED_BY,
    CaseView,
    CastVote,
    GiveFirstView,
    MakeOffer,
    OpenCase,
    Outcome,
    QueueWish,
    Remedy,
    Rule,
    RulingStage,
    Shares,
    Side,
    Stage,
    Turn,
)
from kabao.cases.ladder.model import Take
from kabao.figures import store as figure_store
from kabao.identity import Person, Role
from kabao.kernel import Refusal, Refused
from kabao.postgres import Database
from market import person

PRICE = 9650
ALL = Rule(outcome=Outcome.FULL_REFUND, shares=MERCHANTS, facts="事实。", reasons="理由。")
NOTHING = Rule(outcome=Outcome.NO_REFUND, shares=BUYERS, facts="事实。", reasons="理由。")
PART = OpenCase(claim="already_used", demand=Remedy.PARTIAL_REFUND, demand_minor=500, statement="少了一半。")
VOTE = CastVote(upholds=True, refund_minor=PRICE, shares=MERCHANTS, facts="事实。", reasons="成立。")


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    return await Desk.ready(database, tmp_path)


async def panel(desk: Desk, count: int) -> dict[int, Person]:
    members = [await desk.staff(Role.PANEL) for _ in range(count)]
    return {member.account_id: member for member in members}


async def sitting(desk: Desk, case: CaseView, members: dict[int, Person]) -> list[Person]:
    """Return who sits on the panel of the stage a case is in, in the order of the seats."""
    rows = await desk.database.fetch(
        """SELECT t.panellist_id FROM panel_seat t JOIN cases c USING (shop_id, case_id)
            WHERE c.order_id = $1 AND t.stage = c.stage AND t.recused_at IS NULL ORDER BY t.seat_no""",
        case.order.order_id,
    )
    return [members[row["panellist_id"]] for row in rows]


async def at_panel(desk: Desk, **order: int) -> CaseView:
    case = await desk.at_support(WISH, **order)
    return seen(await desk.ladder.pass_on(desk.market.staff, case.ref))


async def voted(desk: Desk, member: Person, case: CaseView, wish: CastVote = VOTE) -> CaseView:
    seen(await desk.ladder.first_view(member, case.ref, FIRST_VIEW))
    return seen(await desk.ladder.vote(member, case.ref, wish))


async def after(desk: Desk, case: CaseView) -> CaseView:
    return seen(await desk.cases.case(desk.market.buyer, case.ref))


# ---- negotiation


async def test_a_first_purchase_shortens_negotiation(database: Database, tmp_path: Path) -> None:
    newcomer = await Desk.ready(database, tmp_path, is_newcomer=True)
    case = await newcomer.case()
    assert case.due_at == case.opened_at + 24 * HOUR
    assert case.ladder[0].hours == 24
    assert "请在 24 小时内答复" in (await newcomer.subjects(newcomer.market.owner))[0]
    newcomer.pass_time(HOUR)
    again = await newcomer.case()
    assert again.due_at == again.opened_at + 48 * HOUR


async def test_an_unanswered_claim_after_the_release_is_looked_at_by_a_person(desk: Desk) -> None:
    """What a silent merchant would not pay comes from the platform's reserve, so a sockpuppet must not draw on it."""

    await desk.rulebook.begin()
    order_id = await desk.bought()
    assert not isinstance(await desk.orders.confirm(desk.market.buyer, desk.order_ref(order_id)), Refused)
    case = seen(await desk.cases.open(desk.market.buyer, desk.order_ref(order_id), WISH))
    assert "商家到时没有回应，会自动转给客服" in case.what_if_due
    await desk.shown(case)
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 1
    assert (await after(desk, case)).stage is Stage.SUPPORT


async def test_an_unanswered_claim_stands_where_the_rulebook_supports_it(desk: Desk) -> None:
    await desk.rulebook.begin()
    bare, shown = await desk.case(), await desk.case()
    await desk.shown(shown)
    part, unlike = await desk.case(PART), await desk.case(msgspec.structs.replace(WISH, claim="not_as_described"))
    await desk.shown(part)
    # A picture that nobody examined does not make it highly probable, however silent the merchant is.
    await desk.shown(unlike, "mismatch")
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 4
    assert {(await after(desk, one)).stage for one in (bare, unlike)} == {Stage.SUPPORT}
    stands = await after(desk, shown)
    assert (stands.stage, stands.turn, stands.due_at) == (Stage.RULED_OPEN, Turn.PARTIES, desk.clock.at + TO_ASK)
    assert stands.ruling is not None
    assert (stands.ruling.stage, stands.ruling.refund_minor) == (RulingStage.DEFAULT, PRICE)
    assert stands.ruling.shares == MERCHANTS
    assert stands.ruling.rulebook_version == packaged_book().edition.version
    # Nobody sat over it: the claim is answered with the fact that decided, and the article that asks for it.
    assert stands.ruling.grounds is not None
    claim, picture = stands.ruling.grounds.answers
    assert (claim.take, picture.take) == (Take.ACCEPTED, Take.ACCEPTED)
    assert re.fullmatch(r"决定结果的事实：「.+」成立.*；依《虚拟商品管理细则》第 \d+ 条.*。", claim.why)
    assert (await desk.escrow(stands))[0] == "disputed"
    members = await panel(desk, 1)
    asked = seen(await desk.ladder.ask_review(desk.market.owner, shown.ref, "截图是别的订单的。"))
    assert asked.stage is Stage.REVIEW
    [reviewer] = await sitting(desk, shown, members)
    why = Rule(**{**_fields(NOTHING), "differs_reason": "截图和本单无关。"})
    await desk.handed_in(shown, why, reviewer)
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    ended = await after(desk, shown)
    assert (ended.stage, await desk.escrow(ended)) == (Stage.EXECUTED, ("released", 0, PRICE, 193))
    assert [ruling.stage for ruling in ended.rulings] == [RulingStage.DEFAULT, RulingStage.REVIEW]
    # Of a price that the rules would give back whole, silence gives what was demanded and says so.
    asked = await after(desk, part)
    assert asked.ruling is not None
    assert (asked.ruling.outcome, asked.ruling.refund_minor) == (Outcome.PARTIAL_REFUND, 500)
    assert "只按买家提出的 ¥5.00" in asked.ruling.reasons
    assert "卡密在正确的地方无法兑换 ← 证据 1 shot.png（买家所交，没有经人工核验" in asked.ruling.facts
    desk.pass_time(TO_ASK)
    await desk.cases.tick()
    assert (await desk.escrow(asked))[:3] == ("split", 500, PRICE - 500)


async def test_who_answered_and_then_left_an_offer_lying_is_not_said_to_have_been_silent(desk: Desk) -> None:
    await desk.rulebook.begin()
    case = await desk.case()
    await desk.shown(case)
    seen(await desk.cases.answer(desk.market.owner, case.ref, "不同意。"))
    part = MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=9000)
    seen(await desk.cases.offer(desk.market.buyer, case.ref, part))
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 1
    ruled = (await after(desk, case)).ruling
    assert ruled is not None
    assert ruled.stage is RulingStage.DEFAULT
    assert ruled.facts.startswith("商家答复过诉求，但到时没有回应买家后来提的方案。")
    assert "没有答复" not in RULED_BY[ruled.stage]


def _fields(wish: Rule) -> dict[str, object]:
    return {name: getattr(wish, name) for name in wish.__struct_fields__}


# ---- questions


async def test_a_question_pauses_the_clock_until_it_is_answered(desk: Desk) -> None:
    case, staff, buyer = await desk.at_support(), desk.market.staff, desk.market.buyer
    assert case.due_at is not None
    asked = seen(await desk.ladder.ask(staff, case.ref, Side.BUYER, "几点激活的？"))
    assert asked.due_at == case.due_at + 12 * HOUR
    assert "客服向你提问" in (await desk.subjects(buyer))[0]
    [question] = asked.questions
    desk.pass_time(5 * HOUR)
    assert code(await desk.ladder.reply(desk.market.owner, case.ref, question.question_id, "x")) is Refusal.NOT_ALLOWED
    assert code(await desk.ladder.reply(buyer, case.ref, question.question_id, " ")) is Refusal.INVALID_FIELDS
    assert code(await desk.ladder.reply(buyer, case.ref, 1, "x")) is Refusal.NOT_FOUND
    answered = seen(await desk.ladder.reply(buyer, case.ref, question.question_id, "14:05。"))
    assert answered.due_at == case.due_at + 5 * HOUR
    assert code(await desk.ladder.reply(buyer, case.ref, question.question_id, "x")) is Refusal.QUESTION_ANSWERED
    again = seen(await desk.ladder.ask(staff, case.ref, Side.MERCHANT, "记录呢？"))
    assert again.due_at == case.due_at + 12 * HOUR
    desk.pass_time(55 * HOUR - HOUR / 60)
    assert await desk.cases.tick() == 0
    desk.pass_time(HOUR / 60)
    assert await desk.cases.tick() == 1
    assert [line.kind for line in (await after(desk, case)).timeline][-4:] == ["asked", "replied", "asked", "rose"]


async def test_only_those_who_decide_ask_and_not_without_end(desk: Desk) -> None:
    case, staff = await desk.at_support(), desk.market.staff
    assert code(await desk.ladder.ask(desk.market.buyer, case.ref, Side.MERCHANT, "x")) is Refusal.NOT_ALLOWED
    assert code(await desk.ladder.ask(staff, case.ref, Side.BUYER, "字" * 501)) is Refusal.INVALID_FIELDS
    for _ in range(10):
        seen(await desk.ladder.ask(staff, case.ref, Side.BUYER, "在吗？"))
    assert code(await desk.ladder.ask(staff, case.ref, Side.BUYER, "在吗？")) is Refusal.TOO_MANY_QUESTIONS


async def test_a_question_nobody_answered_neither_holds_nor_frees_a_later_stages_clock(desk: Desk) -> None:
    case, staff, buyer = await desk.at_support(), desk.market.staff, desk.market.buyer
    old = seen(await desk.ladder.ask(staff, case.ref, Side.MERCHANT, "记录呢？")).questions[-1]
    members = await panel(desk, 1)
    due_at = seen(await desk.ladder.pass_on(staff, case.ref)).due_at
    assert due_at is not None
    [member] = await sitting(desk, case, members)
    asked = seen(await desk.ladder.ask(member, case.ref, Side.BUYER, "截图呢？")).questions[-1]
    desk.pass_time(HOUR)
    assert seen(await desk.ladder.reply(buyer, case.ref, asked.question_id, "E1。")).due_at == due_at + HOUR
    seen(await desk.ladder.ask(member, case.ref, Side.BUYER, "几点？"))
    desk.pass_time(HOUR)
    late = seen(await desk.ladder.reply(desk.market.owner, case.ref, old.question_id, "没有。"))
    assert late.due_at == due_at + 12 * HOUR


# ---- the draw


async def test_who_has_seen_the_suggestion_at_support_is_not_drawn_for_the_panel(desk: Desk) -> None:
    both = await desk.staff(Role.SUPPORT, Role.PANEL)
    case = await desk.at_support()
    seen(await desk.ladder.first_view(both, case.ref, FIRST_VIEW))
    seen(await desk.ladder.pass_on(both, case.ref))
    assert await sitting(desk, case, {both.account_id: both}) == []
    members = await panel(desk, 1)
    await desk.cases.tick()
    assert await sitting(desk, case, members) == list(members.values())


# ---- rulings


async def test_nothing_is_ruled_without_a_first_view_and_that_is_given_once(desk: Desk) -> None:
    case, staff = await desk.at_support(), desk.market.staff
    assert code(await desk.ladder.rule(staff, case.ref, ALL)) is Refusal.FIRST_VIEW_NEEDED
    empty = GiveFirstView(outcome="nonsense", shares=Shares(), sentence=" ")
    answer = await desk.ladder.first_view(staff, case.ref, empty)
    assert isinstance(answer, Refused)
    assert set(answer.fields) == {"outcome", "shares", "sentence"}
    part = GiveFirstView(outcome="partial_refund", refund_minor=PRICE, shares=BUYERS, sentence="x")
    assert code(await desk.ladder.first_view(staff, case.ref, part)) is Refusal.REFUND_OUT_OF_RANGE
    assert seen(await desk.ladder.first_view(staff, case.ref, FIRST_VIEW)).has_first_view
    assert code(await desk.ladder.first_view(staff, case.ref, FIRST_VIEW)) is Refusal.FIRST_VIEW_GIVEN
    assert not (await after(desk, case)).has_first_view


async def test_a_ruling_is_its_authors_alone_for_ten_seconds_and_can_be_taken_back(desk: Desk) -> None:
    case, staff = await desk.at_support(), desk.market.staff
    handed = await desk.handed_in(case, ALL)
    assert (handed.stage, handed.ruling, handed.pending is None) == (Stage.SUPPORT, None, False)
    colleague = await desk.staff(Role.SUPPORT)
    for other in (desk.market.buyer, desk.market.owner, colleague):
        shown = seen(await desk.cases.case(other, case.ref))
        assert (shown.pending, shown.ruling, shown.timeline) == (None, None, handed.timeline)
    assert code(await desk.ladder.take_back(colleague, case.ref)) is Refusal.UNDO_OVER
    assert code(await desk.ladder.rule(staff, case.ref, ALL)) is Refusal.ALREADY_RULED
    assert code(await desk.ladder.pass_on(staff, case.ref)) is Refusal.ALREADY_RULED
    assert await desk.cases.tick() == 0
    assert seen(await desk.ladder.take_back(staff, case.ref)).pending is None
    seen(await desk.ladder.rule(staff, case.ref, NOTHING))
    desk.pass_time(HANDED_IN)
    assert code(await desk.ladder.take_back(staff, case.ref)) is Refusal.UNDO_OVER
    assert await desk.cases.tick() == 1
    assert code(await desk.ladder.take_back(staff, case.ref)) is Refusal.UNDO_OVER, "it went out: told as too late"
    known = await after(desk, case)
    assert [(ruling.label, ruling.stage) for ruling in known.rulings] == [("不退款，钱付给商家", RulingStage.SUPPORT)]


async def test_a_ruling_handed_in_before_the_deadline_is_waited_for(desk: Desk) -> None:
    case = await desk.at_support()
    desk.pass_time(48 * HOUR - HANDED_IN / 2)
    await desk.handed_in(case, ALL)
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    assert (await after(desk, case)).stage is Stage.RULED_OPEN


async def test_a_settlement_in_the_ten_seconds_lets_the_ruling_lapse(desk: Desk) -> None:
    case = await desk.at_support()
    await desk.handed_in(case, NOTHING)
    seen(await desk.cases.accept_demand(desk.market.owner, case.ref))
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 0
    settled = await after(desk, case)
    assert (settled.stage, settled.rulings, (await desk.escrow(case))[0]) == (Stage.SETTLED, [], "refunded")


async def test_both_waive_and_it_is_carried_out_at_once(desk: Desk) -> None:
    case = await desk.at_support()
    buyer, owner = desk.market.buyer, desk.market.owner
    assert code(await desk.ladder.waive(buyer, case.ref)) is Refusal.NOT_YOUR_TURN
    await desk.ruled(case, ALL)
    assert code(await desk.cases.offer(owner, case.ref, MakeOffer(kind=Remedy.FULL_REFUND))) is Refusal.ALREADY_RULED
    assert seen(await desk.ladder.waive(buyer, case.ref)).waived_by == [Side.BUYER]
    assert code(await desk.ladder.ask_review(buyer, case.ref, "再看看。")) is Refusal.NOT_YOUR_TURN
    assert (await desk.escrow(case))[0] == "disputed"
    ended = seen(await desk.ladder.waive(owner, case.ref))
    assert (ended.stage, await desk.escrow(case)) == (Stage.EXECUTED, ("refunded", PRICE, 0, 0))
    assert code(await desk.ladder.ask_review(owner, case.ref, "再看看。")) is Refusal.CASE_CLOSED


# ---- the panel


async def test_one_panellist_decides_below_the_amount_and_three_above(desk: Desk) -> None:
    members = await panel(desk, 4)
    small = await at_panel(desk)
    assert len(await sitting(desk, small, members)) == 1
    large = await at_panel(desk, quantity=4)
    assert len(await sitting(desk, large, members)) == 1  # 386 yuan
    await desk.database.execute(
        "UPDATE cases SET windows = jsonb_set(windows, '{three_from_minor}', '38600') WHERE order_id = $1",
        large.order.order_id,
    )
    assert await desk.cases.tick() == 0
    assert len(await sitting(desk, large, members)) == 3


async def test_three_vote_blind_and_the_median_rules_with_dissent(database: Database, tmp_path: Path) -> None:
    desk = await Desk.ready(database, tmp_path, keys=6)
    members = await panel(desk, 3)
    case = await at_panel(desk, quantity=6)
    one, two, three = await sitting(desk, case, members)
    against = CastVote(upholds=False, refund_minor=1, shares=BUYERS, facts="另一面。", reasons="不成立。")
    await voted(desk, one, case, against)
    half = CastVote(upholds=True, refund_minor=30_000, shares=MERCHANTS, facts="事实。", reasons="成立。")
    await voted(desk, two, case, half)
    assert code(await desk.ladder.vote(two, case.ref, half)) is Refusal.ALREADY_VOTED
    assert code(await desk.ladder.recuse(two, case.ref, "x")) is Refusal.ALREADY_VOTED
    seen(await desk.ladder.first_view(three, case.ref, FIRST_VIEW))
    bad = CastVote(upholds=True, refund_minor=0, shares=Shares(), facts=" ", reasons="")
    assert code(await desk.ladder.vote(three, case.ref, bad)) is Refusal.REFUND_OUT_OF_RANGE
    whole = CastVote(upholds=True, refund_minor=57_900, shares=MERCHANTS, facts="事实。", reasons="成立。")
    assert seen(await desk.ladder.vote(three, case.ref, whole)).pending is not None
    # The last vote may be taken back like a ruling; the others stay.
    assert seen(await desk.ladder.take_back(three, case.ref)).pending is None
    seen(await desk.ladder.vote(three, case.ref, whole))
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    ruled = await after(desk, case)
    assert ruled.ruling is not None
    assert (ruled.ruling.stage, ruled.ruling.refund_minor, ruled.ruling.dissent) == (
        RulingStage.PANEL,
        30_000,
        "不成立。",
    )
    assert "不同意见：不成立。" in ruled.timeline[-1].said


async def test_a_panel_that_is_late_gives_way_to_the_duty_officer(desk: Desk) -> None:
    members = await panel(desk, 1)
    case = await at_panel(desk)
    [member] = await sitting(desk, case, members)
    officer = await desk.staff(Role.DUTY)
    assert code(await desk.cases.case(officer, case.ref)) is Refusal.NOT_FOUND
    desk.pass_time(72 * HOUR)
    assert (await desk.cases.tick(), await desk.cases.tick()) == (1, 0)
    late = await after(desk, case)
    assert (late.stage, late.turn, late.is_overdue) == (Stage.PANEL, Turn.DUTY, True)
    assert await desk.cases.queue(member) == []
    queue = await desk.cases.queue(officer)
    assert not isinstance(queue, Refused)
    assert [card.ref for card in queue] == [case.ref]
    seen(await desk.ladder.first_view(officer, case.ref, FIRST_VIEW))
    assert code(await desk.ladder.vote(member, case.ref, VOTE)) is Refusal.NOT_YOUR_TURN
    seen(await desk.ladder.rule(officer, case.ref, ALL))
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    ruled = await after(desk, case)
    assert ruled.ruling is not None
    assert ruled.ruling.by_duty
    assert seen(await desk.cases.case(officer, case.ref)).viewer is Side.DUTY


async def test_who_ruled_or_is_a_party_is_never_drawn_and_a_recused_one_never_again(desk: Desk) -> None:
    members = await panel(desk, 2)
    case = await at_panel(desk)
    for party in (desk.market.buyer_id, desk.market.owner_id):
        await desk.database.execute("INSERT INTO account_role (account_id, role) VALUES ($1, 'panel')", party)
    [first] = await sitting(desk, case, members)
    assert code(await desk.ladder.recuse(first, case.ref, " ")) is Refusal.INVALID_FIELDS
    assert await desk.ladder.recuse(first, case.ref, "认识店主。") is None
    [second] = await sitting(desk, case, members)
    assert second.account_id != first.account_id
    assert code(await desk.cases.case(first, case.ref)) is Refusal.NOT_FOUND
    await voted(desk, second, case)
    desk.pass_time(HANDED_IN)
    await desk.cases.tick()
    # Both are out: the seat stays empty until somebody joins the panel.
    seen(await desk.ladder.ask_review(desk.market.owner, case.ref, "再看看。"))
    assert await sitting(desk, case, members) == []
    joined = await desk.staff(Role.PANEL)
    assert await desk.cases.tick() == 0
    assert await sitting(desk, case, members | {joined.account_id: joined}) == [joined]


async def test_the_panel_does_not_talk_and_a_stranger_on_it_finds_nothing(desk: Desk) -> None:
    members = await panel(desk, 2)
    case = await at_panel(desk)
    [sits] = await sitting(desk, case, members)
    [other] = [member for member in members.values() if member is not sits]
    assert code(await desk.cases.case(other, case.ref)) is Refusal.NOT_FOUND
    assert code(await desk.cases.say(sits, case.ref, "你好")) is Refusal.NOT_ALLOWED
    unchecked = person(sits.account_id, Role.PANEL)
    assert code(await desk.ladder.vote(unchecked, case.ref, VOTE)) is Refusal.STAFF_CHECK_REQUIRED
    queue = await desk.cases.queue(sits)
    assert not isinstance(queue, Refused)
    assert [card.ref for card in queue] == [case.ref]


# ---- review


async def test_a_review_by_somebody_else_replaces_the_ruling_and_is_carried_out_at_once(desk: Desk) -> None:
    members = await panel(desk, 1)
    case = await desk.at_support()
    await desk.ruled(case, NOTHING)
    assert code(await desk.ladder.ask_review(desk.market.buyer, case.ref, " ")) is Refusal.INVALID_FIELDS
    asked = seen(await desk.ladder.ask_review(desk.market.buyer, case.ref, "核销早于拆封。"))
    assert (asked.stage, asked.turn, asked.due_at) == (Stage.REVIEW, Turn.PANEL, desk.clock.at + 72 * HOUR)
    assert code(await desk.ladder.ask_review(desk.market.owner, case.ref, "我也要。")) is Refusal.NOT_YOUR_TURN
    assert code(await desk.ladder.rule(desk.market.staff, case.ref, ALL)) is Refusal.NOT_YOUR_TURN
    [reviewer] = await sitting(desk, case, members)
    await desk.handed_in(case, ALL, reviewer)
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    ended = await after(desk, case)
    assert (ended.stage, await desk.escrow(case)) == (Stage.EXECUTED, ("refunded", PRICE, 0, 0))
    assert [ruling.refund_minor for ruling in ended.rulings] == [0, PRICE]


async def test_a_review_nobody_decides_leaves_the_ruling_standing(desk: Desk) -> None:
    case = await desk.at_support()
    await desk.ruled(case, ALL)
    seen(await desk.ladder.ask_review(desk.market.owner, case.ref, "再看看。"))
    desk.pass_time(72 * HOUR)
    assert await desk.cases.tick() == 1
    assert (await after(desk, case)).turn is Turn.DUTY
    desk.pass_time(72 * HOUR)
    assert await desk.cases.tick() == 1
    ended = await after(desk, case)
    assert (ended.stage, ended.timeline[-2].kind, await desk.escrow(case)) == (
        Stage.EXECUTED,
        "stood",
        ("refunded", PRICE, 0, 0),
    )


async def test_the_duty_officer_who_ruled_stands_aside_in_the_review(desk: Desk) -> None:
    case = await at_panel(desk)
    officer = await desk.staff(Role.DUTY)
    desk.pass_time(72 * HOUR)
    await desk.cases.tick()
    await desk.ruled(case, ALL, officer)
    seen(await desk.ladder.ask_review(desk.market.owner, case.ref, "再看看。"))
    desk.pass_time(72 * HOUR)
    await desk.cases.tick()
    assert code(await desk.ladder.first_view(officer, case.ref, FIRST_VIEW)) is Refusal.RECUSED
    assert await desk.cases.queue(officer) == []


# ---- the first word of support


async def test_support_says_its_first_word_by_a_time_that_is_shown_and_counted(desk: Desk) -> None:
    staff = desk.market.staff
    asked, told, ruled, silent, settled = [await desk.case() for _ in range(5)]
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 5
    at_support = await after(desk, asked)
    assert (at_support.first_word_due_at, at_support.first_word_at) == (desk.clock.at + 24 * HOUR, None)
    page = await desk.cases.desk.queue(staff, QueueWish())
    assert not isinstance(page, Refused)
    assert {one.card.first_word_due_at for one in page.cards} == {at_support.first_word_due_at}
    # What a party says, or what is refused, is no word of support.
    seen(await desk.cases.say(desk.market.buyer, told.ref, "在吗？"))
    assert code(await desk.cases.say(staff, told.ref, " ")) is Refusal.INVALID_FIELDS
    assert (await after(desk, told)).first_word_at is None
    desk.pass_time(HOUR)
    seen(await desk.ladder.ask(staff, asked.ref, Side.BUYER, "几点激活的？"))
    seen(await desk.cases.say(staff, told.ref, "在看。"))
    seen(await desk.cases.accept_demand(desk.market.owner, settled.ref))
    for case in (asked, told):
        assert (await after(desk, case)).first_word_at == desk.clock.at
    desk.pass_time(HOUR)
    seen(await desk.cases.say(staff, told.ref, "还在看。"))
    assert (await after(desk, told)).first_word_at == desk.clock.at - HOUR
    desk.pass_time(23 * HOUR)
    await desk.ruled(ruled, NOTHING)
    late = await after(desk, ruled)
    assert (late.first_word_due_at, late.first_word_at) == (None, desk.clock.at)
    assert (await after(desk, silent)).first_word_at is None
    async with desk.database.connection() as conn:
        counted = await figure_store.public_counts(conn, desk.clock.at)
    [line] = [one for one in counted if (one.section, one.key, one.month) == ("deadlines", "first_word", None)]
    assert (line.cases, line.value) == (4, 2)
