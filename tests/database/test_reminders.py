"""Reminders: each deadline is told once a mark to whose turn it is, and held letters go out in the morning."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dispute import BUYERS, FIRST_VIEW, HOUR, Desk, seen
from kabao.cases import CaseView, CastVote, MakeOffer, Outcome, Remedy, Rule, Side, Turn
from kabao.identity import Person, Role
from kabao.kernel import FixedClock, Refusal, Refused, parse_ref
from kabao.notices import QuietHours
from kabao.postgres import Connection, Database, DatabaseUnavailable, load_queries
from kabao.reminders import Reminders, StaffDigest
from kabao.reminders.service import BEFORE_RELEASE
from kabao.reminders.store import deciders
from letterbox import ORIGIN, Letterbox, Office
from market import open_account, person

MINUTE = timedelta(minutes=1)
NO_REFUND = Rule(
    outcome=Outcome.NO_REFUND, shares=BUYERS, facts="已激活。", reasons="理由。", differs_reason="另有证据。"
)
VOTE = CastVote(
    upholds=False, refund_minor=9650, shares=BUYERS, facts="事实。", reasons="不成立。", differs_reason="另有证据。"
)
NIGHT = QuietHours(22 * 60, 8 * 60, "Asia/Shanghai")


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    desk = await Desk.ready(database, tmp_path)
    # What the buyer had bought before is paid out some other day.
    await database.execute("UPDATE escrow SET due_at = due_at + interval '1 year'")
    return desk


@pytest.fixture
def reminders(desk: Desk) -> Reminders:
    return Reminders(database=desk.database, clock=desk.clock, notices=desk.notices)


async def reminded(desk: Desk, who: Person) -> list[str]:
    """List what a person was reminded of, the newest first, up to the sentence of what happens then."""
    told = await desk.notices.inbox(who)
    return [one.subject.partition("。")[0].partition("：")[2] for one in told if one.kind == "due_case"]


async def test_a_window_of_two_days_has_two_reminders_and_each_comes_once(desk: Desk, reminders: Reminders) -> None:
    case = await desk.case()
    assert await reminders.run() == 0
    desk.pass_time(24 * HOUR - MINUTE)
    assert await reminders.run() == 0
    desk.pass_time(MINUTE)
    assert await reminders.run() == 1
    assert await reminders.run() == 0
    [told] = [one for one in await desk.notices.inbox(desk.market.owner) if one.kind == "due_case"]
    assert told.link == f"/c/{case.ref}"
    assert "轮到你了，11 月 25 日 20:00 截止，还剩 24 小时" in told.subject
    desk.pass_time(21 * HOUR)
    assert [await reminders.run(), await reminders.run()] == [1, 0]
    desk.pass_time(3 * HOUR)
    assert await reminders.run() == 0
    assert len(await reminded(desk, desk.market.owner)) == 2
    assert await reminded(desk, desk.market.buyer) == []


async def test_what_a_stopped_worker_missed_is_told_once_and_not_twice(desk: Desk, reminders: Reminders) -> None:
    await desk.case()
    desk.pass_time(46 * HOUR)
    assert [await reminders.run(), await reminders.run()] == [1, 0]
    assert await reminded(desk, desk.market.owner) == ["轮到你了，11 月 25 日 20:00 截止，还剩 2 小时"]


async def test_a_window_of_a_day_has_one_reminder_near_its_end(database: Database, tmp_path: Path) -> None:
    desk = await Desk.ready(database, tmp_path, is_newcomer=True)
    reminders = Reminders(database=database, clock=desk.clock, notices=desk.notices)
    await desk.case()
    for hours in (0, 20):
        desk.pass_time(hours * HOUR)
        assert await reminders.run() == 0
    desk.pass_time(HOUR)
    assert await reminders.run() == 1


async def test_many_runners_tell_a_deadline_once(desk: Desk, reminders: Reminders) -> None:
    cases = [await desk.case() for _ in range(3)]
    desk.pass_time(24 * HOUR)
    others = [Reminders(database=desk.database, clock=desk.clock, notices=desk.notices) for _ in range(7)]
    assert sum(await asyncio.gather(*(one.run() for one in (reminders, *others)))) == len(cases)
    assert len(await reminded(desk, desk.market.owner)) == len(cases)


async def test_a_killed_run_leaves_its_reminders_to_the_next(desk: Desk, reminders: Reminders) -> None:
    await desk.case()
    desk.pass_time(24 * HOUR)

    class Killed:
        async def tell(self, conn: Connection, *told: Any, by: datetime | None = None) -> None:
            await desk.notices.tell(conn, *told, by=by)
            # What the server sees of a worker that kill -9 has ended: its connection is gone before COMMIT.
            await conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(DatabaseUnavailable):
        await Reminders(database=desk.database, clock=desk.clock, notices=Killed()).run()
    assert await reminded(desk, desk.market.owner) == []
    assert [await reminders.run(), await reminders.run()] == [1, 0]
    assert len(await reminded(desk, desk.market.owner)) == 1


async def test_nobody_hears_of_a_closed_case_or_one_that_is_being_moved(desk: Desk, reminders: Reminders) -> None:
    case, moving = await desk.case(), await desk.case()
    seen(await desk.cases.withdraw(desk.market.buyer, case.ref))
    desk.pass_time(24 * HOUR)
    async with desk.database.transaction() as conn:
        await conn.execute("SELECT 1 FROM cases WHERE case_id = $1 FOR UPDATE", int_of(desk, moving))
        assert await reminders.run() == 0
    assert await reminders.run() == 1


def int_of(desk: Desk, case: CaseView) -> int:
    found = parse_ref(case.ref)
    assert found is not None
    assert found.shop_id == desk.market.shop_id
    return found.object_id


async def test_the_turn_decides_who_hears(desk: Desk, reminders: Reminders) -> None:
    case = await desk.case()
    offer = MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=3000, note="先退一部分。")
    seen(await desk.cases.offer(desk.market.owner, case.ref, offer))
    desk.pass_time(24 * HOUR)
    assert await reminders.run() == 1
    assert len(await reminded(desk, desk.market.buyer)) == 1
    assert await reminded(desk, desk.market.owner) == []


async def test_support_hears_who_began_with_a_case_and_a_question_moves_its_deadline(
    desk: Desk, reminders: Reminders
) -> None:
    one, other = [await desk.staff(Role.SUPPORT) for _ in range(2)]
    case = await desk.at_support()
    desk.pass_time(24 * HOUR)
    assert await reminders.run() == 1
    assert [len(await reminded(desk, who)) for who in (one, other)] == [1, 1]
    seen(await desk.ladder.ask(one, case.ref, Side.BUYER, "激活时提示什么？"))
    # The question moved the deadline twelve hours on; the reminder of the old one counts for nothing.
    assert await reminders.run() == 0
    desk.pass_time(9 * HOUR)
    assert [await reminders.run(), await reminders.run()] == [1, 0]
    assert await reminded(desk, desk.market.buyer) == ["有一个提问等你回答，11 月 27 日 08:00 截止，还剩 3 小时"]
    seen(await desk.ladder.first_view(one, case.ref, FIRST_VIEW))
    desk.pass_time(3 * HOUR)
    assert await reminders.run() == 1
    assert [len(await reminded(desk, who)) for who in (one, other)] == [2, 1]


async def test_seated_panellists_and_the_duty_officer_hear_and_a_handed_in_ruling_needs_nobody(
    desk: Desk, reminders: Reminders
) -> None:
    panellist, idle, duty = [await desk.staff(role) for role in (Role.PANEL, Role.PANEL, Role.DUTY)]
    case = await desk.at_support()
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 1
    desk.pass_time(48 * HOUR)
    assert await reminders.run() == 1
    heard = [len(await reminded(desk, one)) for one in (panellist, idle, duty)]
    assert (sum(heard), heard[2]) == (1, 0)
    seated = panellist if heard[0] else idle
    seen(await desk.ladder.first_view(seated, case.ref, FIRST_VIEW))
    seen(await desk.ladder.vote(seated, case.ref, VOTE))
    desk.pass_time(23 * HOUR)
    assert await reminders.run() == 0


async def test_a_duty_officer_who_may_not_decide_is_not_reminded(desk: Desk) -> None:
    case = await desk.at_support()
    free, spoke, ruled, left = [await desk.staff(Role.DUTY, Role.PANEL) for _ in range(4)]
    at = parse_ref(case.ref)
    assert at is not None
    shop_id, case_id = at.shop_id, at.object_id
    place = f"SELECT {shop_id}, {case_id}"
    await desk.evidence.say(None, shop_id, case.order.order_id, spoke.account_id, Side.MERCHANT, "我来回。")
    await desk.database.execute(
        f"""INSERT INTO ruling (shop_id, case_id, ruling_no, staff_id, stage, by_duty, outcome, refund_minor, facts,
              reasons, differs_reason, dissent, made_at) {place}, 1, $1, 'support', false, 'no_refund', 0, 'f', 'r', '',
              '', now()""",
        ruled.account_id,
    )
    await desk.database.execute(
        f"""INSERT INTO panel_seat (shop_id, case_id, stage, seat_no, panellist_id, drawn_at, recused_at, recused_why)
              {place}, 'panel', 9, $1, now(), now(), '认识'""",
        left.account_id,
    )
    async with desk.database.connection() as conn:
        heard = await deciders(conn, shop_id, case_id, Turn.DUTY, "panel", [desk.market.buyer.account_id])
    assert set(heard) & {one.account_id for one in (free, spoke, ruled, left)} == {free.account_id}


async def test_a_ruling_reminds_both_sides_but_not_who_waived(desk: Desk, reminders: Reminders) -> None:
    case = await desk.ruled(await desk.at_support(), NO_REFUND)
    seen(await desk.ladder.waive(desk.market.owner, case.ref))
    desk.pass_time(144 * HOUR)
    assert await reminders.run() == 1
    assert len(await reminded(desk, desk.market.buyer)) == 1
    assert await reminded(desk, desk.market.owner) == []


# ---- releases


async def released(desk: Desk) -> Sequence[str]:
    return [one.link for one in await desk.notices.inbox(desk.market.buyer) if one.kind == "due_release"]


async def test_a_buyer_is_asked_to_try_it_a_day_before_the_money_goes(desk: Desk, reminders: Reminders) -> None:
    await reminders.run()
    order_id = await desk.bought()
    await desk.case()
    due_at = await desk.database.fetchval("SELECT due_at FROM escrow WHERE order_id = $1", order_id)
    desk.clock.at = due_at - BEFORE_RELEASE - MINUTE
    await reminders.run()
    assert await released(desk) == []
    desk.pass_time(MINUTE)
    others = [Reminders(database=desk.database, clock=desk.clock, notices=desk.notices) for _ in range(3)]
    await asyncio.gather(*(one.run() for one in (reminders, *others)))
    assert await released(desk) == [f"/o/{desk.order_ref(order_id)}"]


async def test_a_short_escrow_and_orders_from_before_are_not_told(desk: Desk, reminders: Reminders) -> None:
    order_id = await desk.bought()
    await desk.database.execute("UPDATE escrow SET due_at = $1", desk.clock.at + 20 * HOUR)
    await reminders.run()
    later = await desk.bought(opened=False)
    await desk.database.execute("UPDATE escrow SET due_at = $2 WHERE order_id = $1", later, desk.clock.at + 30 * HOUR)
    desk.pass_time(8 * HOUR)
    await reminders.run()
    assert (await released(desk), order_id != later) == ([], True)


# ---- letters


@pytest.fixture
def box() -> Letterbox:
    return Letterbox()


@pytest.fixture
def office(database: Database, clock: FixedClock, box: Letterbox) -> Office:
    clock.at = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # 23:00 in Beijing
    return Office(database, clock, box)


async def test_a_letter_waits_for_the_morning_and_the_site_does_not(office: Office, box: Letterbox) -> None:
    me = person(await open_account(office.database))
    await office.give_address(me, "xiaoman@example.com")
    assert await office.mailer.keep_quiet(me, NIGHT) is None
    assert await office.mailer.quiet_hours(me) == NIGHT
    await office.tell(me, subject="等到早上")
    async with office.database.transaction() as conn:
        by = office.clock.at + 11 * HOUR
        await office.notices.tell(conn, me.account_id, "due_case", "等不得", "/c/1-2", by=by)
    assert await office.inbox(me) == ["等不得", "等到早上"]
    assert await office.notices.send_mail() == 1
    assert box.subjects == ["等不得"]
    office.clock.advance(9 * HOUR - MINUTE)
    assert await office.notices.send_mail() == 0
    office.clock.advance(MINUTE)
    assert await office.notices.send_mail() == 1
    assert box.subjects == ["等不得", "等到早上"]


async def test_ending_quiet_hours_lets_out_what_they_held(office: Office, box: Letterbox) -> None:
    me = person(await open_account(office.database))
    await office.give_address(me, "xiaoman@example.com")
    await office.mailer.keep_quiet(me, NIGHT)
    await office.tell(me)
    refused = await office.mailer.keep_quiet(me, QuietHours(0, 0, "Asia/Shanghai"))
    assert isinstance(refused, Refused)
    assert (refused.code, list(refused.fields)) == (Refusal.INVALID_FIELDS, ["to"])
    assert await office.notices.send_mail() == 0
    assert await office.mailer.keep_quiet(me, None) is None
    assert await office.notices.send_mail() == 1
    assert len(box.taken) == 1


async def test_staff_get_one_letter_in_the_morning_where_something_waits(
    database: Database, tmp_path: Path, box: Letterbox
) -> None:
    desk = await Desk.ready(database, tmp_path)
    office = Office(database, desk.clock, box)
    digest = StaffDigest(database=database, clock=desk.clock, cases=desk.cases, mail=office.mailer, origin=ORIGIN)
    busy, idle = [await desk.staff(role) for role in (Role.SUPPORT, Role.PANEL)]
    for number, who in enumerate((busy, idle, desk.market.owner)):
        await office.give_address(who, f"staff{number}@example.com")
    case = await desk.at_support()
    desk.clock.at = datetime(2026, 11, 27, 0, 59, tzinfo=UTC)  # 08:59 in Beijing
    assert await digest.run() == 0
    desk.pass_time(MINUTE)
    again = StaffDigest(database=database, clock=desk.clock, cases=desk.cases, mail=office.mailer, origin=ORIGIN)
    assert sum(await asyncio.gather(digest.run(), again.run())) == 1
    assert await digest.run() == 0
    assert await office.notices.send_mail() == 1
    assert box.taken[0]["To"] == "staff0@example.com"
    assert box.subjects == ["今天有 1 件案件等你处理：0 件已超时，1 件 12 小时内到期"]
    assert f"{case.ref}  还剩 11 小时" in box.text()
    desk.pass_time(24 * HOUR)
    assert await digest.run() == 1


async def test_without_mail_no_letter_is_written_for_staff(desk: Desk) -> None:
    office = Office(desk.database, desk.clock, None)
    digest = StaffDigest(database=desk.database, clock=desk.clock, cases=desk.cases, mail=office.mailer, origin=ORIGIN)
    assert await digest.run() == 0


async def test_near_deadlines_and_releases_are_found_by_their_indexes(desk: Desk) -> None:
    queries, now = load_queries("kabao.reminders"), desk.clock.at
    near = (queries["near_cases"], ("day", HOUR, HOUR, HOUR, 100, now))
    stretch = (queries["releases_stretch"], (now, HOUR, 500, now))
    async with desk.database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        plans = [
            "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {sql}", *given)) for sql, given in (near, stretch)
        ]
    assert "cases_due" in plans[0]
    assert "case_reminder_pkey" in plans[0]
    assert "escrow_due" in plans[1]
