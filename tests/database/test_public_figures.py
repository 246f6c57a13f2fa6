"""The public figures, counted from cases that took every way there is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest_asyncio

from dispute import BUYERS, HOUR, MERCHANTS, Desk, seen
from kabao.cases import MakeOffer, Outcome, Remedy, Rule
from kabao.figures import FigureService, store
from kabao.identity import Role
from kabao.postgres import Database

FULL = Rule(outcome=Outcome.FULL_REFUND, shares=MERCHANTS, facts="用过。", reasons="发行方记录。")
NONE = Rule(
    outcome=Outcome.NO_REFUND, shares=BUYERS, facts="没用过。", reasons="没有证据。", differs_reason="看了记录。"
)


@pytest_asyncio.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    return await Desk.ready(database, tmp_path, keys=30)


async def counted(desk: Desk, month: str | None = None) -> dict[tuple[str, str], tuple[int, int | None]]:
    async with desk.database.connection() as conn:
        found = await store.public_counts(conn, desk.clock.at)
    return {(one.section, one.key): (one.cases, one.value) for one in found if one.cases and one.month == month}


async def test_a_case_counts_in_the_month_of_china_in_which_it_was_opened(desk: Desk) -> None:
    desk.pass_time(datetime(2027, 1, 31, 15, 55, tzinfo=UTC) - desk.clock.at)
    seen(await desk.cases.withdraw(desk.market.buyer, (await desk.case()).ref))
    desk.pass_time(timedelta(minutes=10))
    await desk.executed(await desk.at_support(), FULL)
    january, february = await counted(desk, "2027-01"), await counted(desk, "2027-02")
    assert january["claims", "already_used"] == february["claims", "already_used"] == (1, None)
    assert ("endings", "withdrawn") in january
    assert {("wins", "full_refund"), ("deadlines", "support"), ("times", "end")} <= set(february)
    whole = await counted(desk)
    assert {key for key in whole if key not in january} == {key for key in february if key not in january}
    for key, (cases, _) in whole.items():
        assert cases == january.get(key, (0, None))[0] + february.get(key, (0, None))[0], key


async def test_nothing_is_counted_before_there_is_a_case(desk: Desk) -> None:
    assert await counted(desk) == {}


async def test_each_way_to_an_end_is_counted_once(desk: Desk) -> None:
    buyer, owner = desk.market.buyer, desk.market.owner
    seen(await desk.cases.withdraw(buyer, (await desk.case()).ref))
    settled = await desk.case()
    desk.pass_time(2 * HOUR)
    seen(await desk.cases.answer(owner, settled.ref, "看过记录了。"))
    offered = seen(await desk.cases.offer(owner, settled.ref, MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=100)))
    assert offered.open_offer is not None
    desk.pass_time(2 * HOUR)
    seen(await desk.cases.accept(buyer, settled.ref, offered.open_offer.offer_id))
    await desk.executed(await desk.at_support(), FULL)
    still = await desk.case()
    found = await counted(desk)
    assert found["claims", "already_used"] == (4, None)
    assert found["open", "negotiation"] == (1, None)
    assert {key: n for (section, key), (n, _) in found.items() if section == "stages"} == {
        "negotiation": 2,
        "support": 1,
    }
    assert {key: n for (section, key), (n, _) in found.items() if section == "endings"} == {
        "withdrawn": 1,
        "partial_refund": 1,
        "full_refund": 1,
    }
    assert found["wins", "full_refund"] == (1, None)
    assert found["times", "first_answer"] == (1, 120)
    assert found["times", "end"] == (3, 240)
    assert found["deadlines", "support"] == (1, 1)
    # One was answered in time and one not at all; the one taken back at once and the one still running say nothing.
    assert found["deadlines", "answer"] == (2, 1)
    assert still.closed_at is None


async def test_what_came_late_is_counted_as_late(desk: Desk) -> None:
    await desk.staff(Role.PANEL)
    case = await desk.at_support()
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 1
    desk.pass_time(72 * HOUR)
    assert await desk.cases.tick() == 1
    duty = await desk.staff(Role.DUTY)
    await desk.ruled(case, FULL, duty)
    found = await counted(desk)
    assert found["deadlines", "support"] == (1, 0)
    assert found["deadlines", "panel"] == (1, 0)
    assert found["reviews", "by_duty"] == (1, 1)
    assert found["open", "ruled_open"] == (1, None)


async def test_a_review_that_changes_the_amount_is_an_overturned_one(desk: Desk) -> None:
    panellist = await desk.staff(Role.PANEL)
    for rule in (NONE, FULL):
        case = await desk.ruled(await desk.at_support(), FULL)
        seen(await desk.ladder.ask_review(desk.market.owner, case.ref, "没有看到激活记录。"))
        await desk.cases.tick()
        await desk.ruled(case, rule, panellist)
    found = await counted(desk)
    assert found["reviews", "overturned"] == (2, 1)
    assert found["deadlines", "review"] == (2, 2)
    assert found["stages", "review"] == (2, None)


async def test_figures_are_counted_again_after_five_minutes(desk: Desk) -> None:
    seconds = [0.0]
    service = FigureService(database=desk.database, clock=desk.clock, monotonic=lambda: seconds[0])
    first = await service.figures()
    await desk.case()
    desk.pass_time(timedelta(minutes=4))
    seconds[0] = 240.0
    assert await service.figures() == first
    seconds[0] = 300.0
    again = await service.figures()
    assert again.at == desk.clock.at
    assert [row.key for row in again.sections[0].rows] == ["already_used"]
    assert again.sections[0].rows[0].is_withheld


async def test_what_is_paid_after_the_release_is_a_refund_too(desk: Desk, owner_database: Database) -> None:
    case = await desk.case()
    seen(await desk.cases.accept_demand(desk.market.owner, case.ref))
    for kind, minor, ending in (("settled_claim", 9650, "full_refund"), ("ruled_claim", 100, "partial_refund")):
        await owner_database.execute(
            "UPDATE order_event SET kind = $1, amount_minor = $2 WHERE kind IN ('settled_refund', 'settled_claim')",
            kind,
            minor,
        )
        found = await counted(desk)
        assert {key for section, key in found if section == "endings"} == {ending}
