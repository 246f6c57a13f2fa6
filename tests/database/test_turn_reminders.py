"""A day and two after it became somebody's turn, or after words that nobody answered: told once, beside no other."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from archive import stream
from dispute import FIRST_VIEW, HOUR, Desk, seen
from kabao.cases import Side
from kabao.evidence import AuthorRole
from kabao.identity import Person, Role
from kabao.postgres import Database, load_queries
from kabao.reminders import Reminders

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    desk = await Desk.ready(database, tmp_path)
    await database.execute("UPDATE escrow SET due_at = due_at + interval '1 year'")
    return desk


@pytest.fixture
def reminders(desk: Desk) -> Reminders:
    return Reminders(database=desk.database, clock=desk.clock, notices=desk.notices)


async def told(desk: Desk, who: Person, *kinds: str) -> list[str]:
    return [one.subject for one in reversed(await desk.notices.inbox(who)) if one.kind in kinds]


async def told_each_hour(desk: Desk, reminders: Reminders, hours: int) -> list[int]:
    """Name the hours at which somebody was told something."""
    found = []
    for hour in range(hours + 1):
        found += [hour] * await reminders.run()
        desk.pass_time(HOUR)
    return found


async def test_where_two_days_are_given_the_deadline_s_own_reminders_are_all(desk: Desk, reminders: Reminders) -> None:
    await desk.case()
    assert await told_each_hour(desk, reminders, 47) == [24, 45]


async def test_a_panel_hears_a_day_after_its_turn_began_and_a_duty_officer_without_a_deadline_too(
    desk: Desk, reminders: Reminders
) -> None:
    panellist, duty = await desk.staff(Role.PANEL), await desk.staff(Role.DUTY)
    await desk.at_support()
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 1
    # 72 hours: a day after, a day before (which is two days after), three hours before.
    assert await told_each_hour(desk, reminders, 71) == [24, 48, 69]
    assert await desk.cases.tick() == 1
    assert await told_each_hour(desk, reminders, 75) == [24, 48]
    subjects = await told(desk, panellist, "due_case")
    assert "轮到你已经 24 小时，" in subjects[0]
    assert "截止，还剩 48 小时" in subjects[0]
    late = await told(desk, duty, "due_case")
    assert ["轮到你已经 24 小时，时限" in late[0], "轮到你已经 48 小时，时限" in late[1]] == [True, True]
    assert all("已经过了" in one for one in late)


async def test_nobody_is_pressed_while_a_question_stops_the_clock_nor_while_a_ruling_waits(
    desk: Desk, reminders: Reminders
) -> None:
    panellist = await desk.staff(Role.PANEL)
    case = await desk.at_support()
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 1
    desk.pass_time(23 * HOUR)
    seen(await desk.ladder.ask(panellist, case.ref, Side.BUYER, "什么时候试的？"))
    desk.pass_time(2 * HOUR)
    assert await reminders.run() == 0
    question = seen(await desk.cases.case(panellist, case.ref)).questions[0]
    seen(await desk.ladder.reply(desk.market.buyer, case.ref, question.question_id, "当天。"))
    assert [await reminders.run(), await reminders.run()] == [1, 0]
    seen(await desk.ladder.first_view(panellist, case.ref, FIRST_VIEW))
    assert await told(desk, desk.market.buyer, "due_case") == []


async def test_many_runners_tell_a_turn_once(desk: Desk, reminders: Reminders) -> None:
    panellist = await desk.staff(Role.PANEL)
    await desk.at_support()
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 1
    desk.pass_time(24 * HOUR)
    others = [Reminders(database=desk.database, clock=desk.clock, notices=desk.notices) for _ in range(7)]
    assert sum(await asyncio.gather(*(one.run() for one in (reminders, *others)))) == 1
    assert len(await told(desk, panellist, "due_case")) == 1


async def says(desk: Desk, order_id: int, who: Side, text: str) -> None:
    account = desk.market.owner if who is Side.MERCHANT else desk.market.buyer
    await desk.evidence.say(None, desk.market.shop_id, order_id, account.account_id, who, text)


async def test_words_in_an_order_s_talk_are_told_at_once_and_again_where_nobody_answers(
    desk: Desk, reminders: Reminders
) -> None:
    await reminders.run()
    order_id, other = await desk.bought(), await desk.bought()
    await desk.database.execute("UPDATE escrow SET due_at = due_at + interval '1 year'")
    desk.pass_time(MINUTE)
    await says(desk, order_id, Side.BUYER, "打不开。")
    await says(desk, order_id, Side.BUYER, "在吗？")
    await says(desk, other, Side.BUYER, "第二单也打不开。")
    desk.pass_time(2 * HOUR)
    await says(desk, other, Side.MERCHANT, "换一张给你。")
    desk.pass_time(2 * MINUTE)
    assert await reminders.run() == 2
    owner, buyer = desk.market.owner, desk.market.buyer
    [first] = await told(desk, owner, "order_said")
    assert first.endswith("的买家在订单里给你留了言")
    [answer] = await told(desk, buyer, "order_said")
    assert answer.endswith("的商家在订单里给你留了言")
    assert await told_each_hour(desk, reminders, 60) == [22, 46, 46]
    nudges = await told(desk, owner, "due_talk")
    assert ["24 小时前" in nudges[0], "48 小时前" in nudges[1], len(nudges)] == [True, True, 2]
    [silent] = await told(desk, buyer, "due_talk")
    assert "商家 48 小时没有回复你的留言" in silent
    # Answered, the next word begins anew; in a case its deadlines tell it.
    await says(desk, order_id, Side.MERCHANT, "来了。")
    await says(desk, order_id, Side.BUYER, "还是不行。")
    desk.pass_time(2 * MINUTE)
    assert await reminders.run() == 1
    assert len(await told(desk, owner, "order_said")) == 2


async def test_what_is_said_in_a_case_or_answered_with_a_file_is_not_told_again(
    desk: Desk, reminders: Reminders
) -> None:
    await reminders.run()
    case, order_id = await desk.case(), await desk.bought()
    desk.pass_time(MINUTE)
    await says(desk, case.order.order_id, Side.BUYER, "请快一点。")
    await says(desk, order_id, Side.BUYER, "打不开。")
    desk.pass_time(HOUR)
    place = (desk.market.shop_id, order_id, None, desk.market.owner.account_id, AuthorRole.MERCHANT)
    await desk.evidence.add_file(*place, "换给你的.txt", stream("换一张。".encode()))
    desk.pass_time(22 * HOUR)
    assert await reminders.run() == 0
    desk.pass_time(HOUR)
    assert await told(desk, desk.market.owner, "order_said", "due_talk") == []


async def test_turns_and_talk_are_found_by_their_indexes(desk: Desk) -> None:
    queries, now = load_queries("kabao.reminders"), desk.clock.at
    given = {
        "waiting_cases": ("waits_day", HOUR, HOUR, HOUR, 100, now),
        "talk_stretch": (now, HOUR, 500, now),
        "talk_unanswered": (now, now),
    }
    async with desk.database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        plans = {
            name: "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {queries[name]}", *parameters))
            for name, parameters in given.items()
        }
    assert "cases_turn_since" in plans["waiting_cases"]
    assert "case_reminder_pkey" in plans["waiting_cases"]
    assert "message_of_parties" in plans["talk_stretch"]
    assert "message_of_parties" in plans["talk_unanswered"]
