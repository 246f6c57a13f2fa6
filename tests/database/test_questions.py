"""A question that nobody has answered, and the ruling: it waits, the question is taken back, or it says why neither."""

from pathlib import Path

from msgspec.structs import replace

from dispute import FIRST_VIEW, HANDED_IN, HOUR, MERCHANTS, Desk, code, seen
from kabao.cases import Outcome, Rule, Side
from kabao.kernel import Refusal
from kabao.postgres import Database

ALL = Rule(outcome=Outcome.FULL_REFUND, shares=MERCHANTS, facts="事实。", reasons="理由。")


async def test_a_ruling_waits_for_an_answer_takes_the_question_back_or_says_why_it_does_neither(
    database: Database, tmp_path: Path
) -> None:
    desk = await Desk.ready(database, tmp_path)
    case, staff, plain = await desk.at_support(), desk.market.staff, desk.ladder.plain
    for to in (Side.BUYER, Side.MERCHANT):
        asked = seen(await desk.ladder.ask(staff, case.ref, to, "激活时提示什么？"))
    first, second = [one.question_id for one in asked.questions]
    paused, began = asked.due_at, desk.clock.at
    assert code(await desk.ladder.withdraw_question(desk.market.buyer, case.ref, first)) is Refusal.NOT_ALLOWED
    assert code(await desk.ladder.withdraw_question(staff, case.ref, 5)) is Refusal.NOT_FOUND
    desk.pass_time(HOUR)
    withdrawn = seen(await desk.ladder.withdraw_question(staff, case.ref, first))
    assert (withdrawn.due_at, withdrawn.paused_until) == (paused, began + 12 * HOUR), "the other question holds it"
    assert code(await desk.ladder.withdraw_question(staff, case.ref, first)) is Refusal.QUESTION_ANSWERED
    assert code(await desk.ladder.reply(desk.market.buyer, case.ref, first, "晚了")) is Refusal.QUESTION_ANSWERED
    assert "撤回了向你的提问" in (await desk.subjects(desk.market.buyer))[0]
    seen(await desk.ladder.first_view(staff, case.ref, FIRST_VIEW))
    wish = await desk.ladder.complete(staff, case.ref, ALL)
    silent = replace(wish, grounds=replace(wish.grounds, unanswered=" "))
    refused = await plain.rule(staff, case.ref, silent)
    assert code(refused) is Refusal.INVALID_FIELDS
    assert list(refused.fields) == ["unanswered"]
    seen(await plain.rule(staff, case.ref, wish))
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    ruled = seen(await desk.cases.case(desk.market.buyer, case.ref))
    assert ruled.ruling is not None
    assert ruled.ruling.grounds is not None
    assert ruled.ruling.grounds.unanswered == "材料已经够。"
    assert [one.withdrawn_at for one in ruled.questions] == [began + HOUR, desk.clock.at]
    assert code(await desk.ladder.reply(desk.market.owner, case.ref, second, "晚了")) is Refusal.QUESTION_ANSWERED
    assert await desk.database.fetchval("SELECT ends_at FROM case_pause") == desk.clock.at, "its pause is over"
    # With the last question taken back the clock runs on by what is left, and nothing has to be said of it.
    other = await desk.at_support()
    asked = seen(await desk.ladder.ask(staff, other.ref, Side.BUYER, "截图？"))
    desk.pass_time(HOUR)
    runs = seen(await desk.ladder.withdraw_question(staff, other.ref, asked.questions[0].question_id))
    assert (runs.paused_until, runs.due_at) == (None, (other.due_at or desk.clock.at) + HOUR)
    seen(await desk.ladder.first_view(staff, other.ref, FIRST_VIEW))
    seen(await plain.rule(staff, other.ref, silent))
