"""Cover for a merchant who is away: what is granted in his name, what is left to people, and nobody's time changed."""

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from dispute import HOUR, Desk, code, seen
from kabao.cases import OVER_TOTAL, CoverView, OpenCase, Remedy, SetCover, Stage, Turn
from kabao.cases.cover import store
from kabao.cases.cover.model import Cover
from kabao.cases.cover.rules import decide_cover, wrong_in
from kabao.cases.model import Decision
from kabao.kernel import Refusal
from kabao.postgres import Database, load_queries
from ladders import AT_SUPPORT, SILENT_MERCHANT
from market import NOON

DAY = 24 * HOUR
AWAY = SetCover(from_at=NOON, until_at=NOON + 10 * DAY, each_minor=5000, total_minor=9000)
STANDING = Cover(cover_id=1, from_at=NOON, until_at=NOON + DAY, each_minor=9650, total_minor=9650, spent_minor=0)


def half(minor: int = 4000) -> OpenCase:
    return OpenCase(claim="already_used", demand=Remedy.PARTIAL_REFUND, demand_minor=minor, statement="坏了一半。")


async def covered(desk: Desk) -> CoverView:
    view = await desk.cases.cover.cover(desk.market.owner, desk.market.shop_id)
    assert isinstance(view, CoverView), view
    return view


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    return await Desk.ready(database, tmp_path, keys=12)


async def test_a_small_refund_is_given_in_the_merchants_name_and_a_large_one_waits_as_long_as_ever(desk: Desk) -> None:
    small, large = await desk.case(half()), await desk.case()
    due = large.due_at
    assert await desk.cases.cover.set(desk.market.owner, desk.market.shop_id, AWAY) is None
    assert await desk.cases.tick() == 1
    done = seen(await desk.cases.case(desk.market.buyer, small.ref))
    assert (done.stage, done.offers[-1].by_role, done.offers[-1].refund_minor) == (Stage.SETTLED, "merchant", 4000)
    [granted] = [line for line in done.timeline if line.kind == "granted"]
    assert "外出期间按事先设的规则自动照办" in granted.said
    actor = await desk.database.fetchval("SELECT actor_id FROM case_event WHERE kind = 'granted'")
    assert actor == desk.market.owner_id
    assert await desk.escrow(small) == ("split", 4000, 5650, 113)
    waiting = seen(await desk.cases.case(desk.market.buyer, large.ref))
    assert (waiting.stage, waiting.turn, waiting.due_at) == (Stage.NEGOTIATION, Turn.MERCHANT, due)
    assert any("外出期间已自动照办，退 ¥40.00" in one for one in await desk.subjects(desk.market.owner))
    view = await covered(desk)
    assert view.standing is not None
    assert view.standing.spent_minor == 4000
    assert [(deed.ref, deed.refund_minor, deed.refused) for deed in view.deeds] == [(small.ref, 4000, None)]
    # At its own time it goes the way it would have gone.
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 1
    assert seen(await desk.cases.case(desk.market.buyer, large.ref)).stage is not Stage.NEGOTIATION


async def test_what_goes_beyond_the_total_is_left_to_people_once(desk: Desk) -> None:
    await desk.cases.cover.set(desk.market.owner, desk.market.shop_id, AWAY)
    made = [await desk.case(half(4000)) for _ in range(3)]
    assert await desk.cases.tick() == 2
    assert await desk.cases.tick() == 0
    view = await covered(desk)
    assert {deed.ref: deed.refused for deed in view.deeds} == {
        made[0].ref: None,
        made[1].ref: None,
        made[2].ref: OVER_TOTAL,
    }
    assert sum("没能自动照办" in one for one in await desk.subjects(desk.market.owner)) == 1


async def test_a_cover_ends_when_its_merchant_says_or_its_time_is_over_and_spares_what_he_answered(desk: Desk) -> None:
    owner, shop_id = desk.market.owner, desk.market.shop_id
    answered = await desk.case(half())
    seen(await desk.cases.answer(owner, answered.ref, "核对过，没问题。"))
    again = await desk.case(OpenCase(claim="already_used", demand=Remedy.REPLACEMENT, statement="换一张。"))
    await desk.cases.cover.set(owner, shop_id, AWAY)
    assert await desk.cases.tick() == 0
    assert await desk.cases.cover.end(owner, shop_id) is None
    assert code(await desk.cases.cover.end(owner, shop_id)) is Refusal.NOT_FOUND
    waits = await desk.case(half())
    assert await desk.cases.tick() == 0
    later = msgspec.structs.replace(AWAY, from_at=NOON + HOUR, until_at=NOON + 2 * HOUR)
    await desk.cases.cover.set(owner, shop_id, later)
    assert await desk.cases.tick() == 0, "it has not begun"
    desk.pass_time(2 * HOUR)
    assert await desk.cases.tick() == 0, "it is over"
    for case in (answered, again, waits):
        assert seen(await desk.cases.case(owner, case.ref)).stage is Stage.NEGOTIATION
    assert (await covered(desk)).deeds == []


async def test_only_the_owner_sets_ends_and_sees_a_cover(desk: Desk) -> None:
    for stranger in (desk.market.buyer, desk.market.staff):
        assert code(await desk.cases.cover.set(stranger, desk.market.shop_id, AWAY)) is Refusal.NOT_FOUND
        assert code(await desk.cases.cover.end(stranger, desk.market.shop_id)) is Refusal.NOT_FOUND
        assert code(await desk.cases.cover.cover(stranger, desk.market.shop_id)) is Refusal.NOT_FOUND
    wrong = await desk.cases.cover.set(
        desk.market.owner, desk.market.shop_id, msgspec.structs.replace(AWAY, each_minor=0)
    )
    assert code(wrong) is Refusal.INVALID_FIELDS


async def test_two_workers_and_a_merchant_who_is_back_grant_a_case_once(desk: Desk) -> None:
    case = await desk.case(half())
    await desk.cases.cover.set(desk.market.owner, desk.market.shop_id, AWAY)
    moved = await asyncio.gather(
        desk.cases.cover.tick(), desk.cases.cover.tick(), desk.cases.accept_demand(desk.market.owner, case.ref)
    )
    assert sum(one for one in moved[:2] if isinstance(one, int)) <= 1
    await desk.cases.cover.tick()
    assert len(seen(await desk.cases.case(desk.market.owner, case.ref)).offers) == 1
    assert await desk.escrow(case) == ("split", 4000, 5650, 113)


async def test_many_workers_leave_what_goes_beyond_the_total_to_people_once(desk: Desk) -> None:
    await desk.cases.cover.set(desk.market.owner, desk.market.shop_id, AWAY)
    for _ in range(5):
        await desk.case(half(4000))
    assert sum(await asyncio.gather(*(desk.cases.cover.tick() for _ in range(4)))) <= 2
    await desk.cases.cover.tick()
    assert sorted(deed.refused or "" for deed in (await covered(desk)).deeds) == ["", "", *[OVER_TOTAL] * 3]
    assert sum("没能自动照办" in one for one in await desk.subjects(desk.market.owner)) == 3


async def test_a_cover_that_takes_anothers_place_meanwhile_is_not_read_unlocked(desk: Desk) -> None:
    shop_id, owner = desk.market.shop_id, desk.market.owner
    await desk.cases.cover.set(owner, shop_id, AWAY)

    async def locked() -> Cover | None:
        async with desk.database.transaction() as conn:
            return await store.locked(conn, shop_id)

    async with desk.database.transaction() as conn:
        await store.end_cover(conn, shop_id, NOON)
        await store.add_cover(conn, shop_id, 2, AWAY, owner.account_id, NOON)
        waits = asyncio.create_task(locked())
        await asyncio.sleep(0.2)
        assert not waits.done()
    assert await waits is None
    assert await locked() is not None


async def test_a_deposit_that_does_not_reach_leaves_the_case_to_people(database: Database, tmp_path: Path) -> None:
    desk = await Desk.ready(database, tmp_path, keys=5)
    order_id = await desk.bought()
    confirmed = await desk.orders.confirm(desk.market.buyer, desk.order_ref(order_id))
    assert confirmed
    case = seen(await desk.cases.open(desk.market.buyer, desk.order_ref(order_id), half()))
    await desk.cases.cover.set(desk.market.owner, desk.market.shop_id, AWAY)
    assert await desk.cases.cover.tick() == 0
    [deed] = (await covered(desk)).deeds
    assert (deed.ref, deed.refund_minor, deed.refused) == (case.ref, 0, "deposit_short")
    assert seen(await desk.cases.case(desk.market.owner, case.ref)).stage is Stage.NEGOTIATION


async def test_the_sweep_goes_by_its_indexes(database: Database, desk: Desk) -> None:
    await desk.case()
    sql = load_queries("kabao.cases.cover")["covered_cases"]
    async with database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        plan = "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {sql}", NOON, 0, 0, 100))
    assert "Seq Scan" not in plan


def test_a_cover_grants_only_refunds_that_wait_for_its_merchant_while_it_stands() -> None:
    assert isinstance(decide_cover(SILENT_MERCHANT, STANDING, NOON), Decision)
    assert decide_cover(SILENT_MERCHANT, STANDING, NOON - HOUR) is None
    assert decide_cover(SILENT_MERCHANT, STANDING, NOON + DAY) is None
    assert decide_cover(AT_SUPPORT, STANDING, NOON) is None
    for changes in ({"demand": Remedy.REPLACEMENT}, {"turn": Turn.BUYER}, {"answered_at": NOON}, {"held_minor": 9651}):
        assert decide_cover(msgspec.structs.replace(SILENT_MERCHANT, **changes), STANDING, NOON) is None
    spent = msgspec.structs.replace(STANDING, spent_minor=1)
    assert decide_cover(SILENT_MERCHANT, spent, NOON) == OVER_TOTAL
    gone = msgspec.structs.replace(SILENT_MERCHANT, demand=Remedy.PARTIAL_REFUND, demand_minor=0)
    assert decide_cover(gone, STANDING, NOON) is None, "what cannot be granted is left alone"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, set()),
        ({"until_at": NOON}, {"until"}),
        ({"from_at": NOON - 90 * DAY, "until_at": NOON - DAY}, {"until"}),
        ({"until_at": NOON + 60 * DAY + timedelta(seconds=1)}, {"until"}),
        ({"from_at": NOON - 90 * DAY, "until_at": NOON + 60 * DAY}, set()),
        ({"each_minor": 0}, {"each"}),
        ({"total_minor": 4999}, {"total"}),
    ],
)
def test_a_cover_that_makes_no_sense_is_not_set(changes: dict[str, object], fields: set[str]) -> None:
    assert set(wrong_in(msgspec.structs.replace(AWAY, **changes), NOON)) == fields
