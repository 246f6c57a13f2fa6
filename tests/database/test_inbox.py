"""A shop's inbox: which case stands where, page by page, and many granted at once."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from dispute import HOUR, MERCHANTS, Desk, code, seen
from kabao.cases import Cursor, InboxPage, MakeOffer, OpenCase, Outcome, Remedy, Rule, Side, Tab, ToGrant
from kabao.kernel import Refusal, Refused
from kabao.postgres import Database, load_queries
from market import NOON

LATEST_DUE = "UPDATE cases SET due_at = $1 WHERE case_id = (SELECT max(case_id) FROM cases)"
HALF = OpenCase(claim="already_used", demand=Remedy.PARTIAL_REFUND, demand_minor=4000, statement="坏了一半。")
LESS = MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=100)
RULING = Rule(outcome=Outcome.FULL_REFUND, shares=MERCHANTS, facts="查明。", reasons="理由。", differs_reason="照实。")


async def listed(desk: Desk, tab: Tab, after: Cursor | None = None, limit: int = 20) -> InboxPage:
    found = await desk.cases.inbox.page(desk.market.owner, desk.market.shop_id, tab, after, limit)
    assert isinstance(found, InboxPage), found
    return found


async def refs(desk: Desk, tab: Tab) -> list[str]:
    return [card.ref for card in (await listed(desk, tab)).cards]


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    return await Desk.ready(database, tmp_path, keys=12)


async def test_each_case_stands_where_its_next_move_is(desk: Desk) -> None:
    mine, buyers, ruled, withdrawn = [await desk.case() for _ in range(4)]
    seen(await desk.cases.answer(desk.market.owner, buyers.ref, "核对过，卡密正常。"))
    seen(await desk.cases.answer(desk.market.owner, ruled.ref, "核对过，卡密正常。"))
    seen(await desk.cases.escalate(desk.market.buyer, ruled.ref))
    seen(await desk.cases.withdraw(desk.market.buyer, withdrawn.ref))
    assert await refs(desk, Tab.MINE) == [mine.ref]
    assert await refs(desk, Tab.THEIRS) == [buyers.ref, ruled.ref]
    seen(await desk.ladder.ask(desk.market.staff, ruled.ref, Side.MERCHANT, "库存从哪里来？"))
    assert await refs(desk, Tab.MINE) == [mine.ref, ruled.ref], "a question waits for the merchant too"
    await desk.ruled(ruled, RULING)
    assert await refs(desk, Tab.REVIEW) == [ruled.ref]
    assert await refs(desk, Tab.RULED) == [ruled.ref]
    assert await refs(desk, Tab.CLOSED) == [withdrawn.ref]
    counts = (await listed(desk, Tab.MINE)).counts
    assert counts == {Tab.MINE: 1, Tab.THEIRS: 1, Tab.REVIEW: 1, Tab.RULED: 1, Tab.CLOSED: 1}
    seen(await desk.ladder.waive(desk.market.owner, ruled.ref))
    assert await refs(desk, Tab.REVIEW) == [], "what the merchant waived asks for nothing"


async def test_pages_follow_each_other_by_the_time_left_without_gap_or_repeat(desk: Desk) -> None:
    made = []
    for hours in (0, 3, 1, 2, 1):
        case = await desk.case()
        await desk.database.execute(LATEST_DUE, NOON + hours * HOUR)
        made.append((hours, case.ref))
    # The last one waits for money, without a deadline.
    await desk.database.execute(LATEST_DUE, None)
    made[-1] = (99, made[-1][1])
    walked, after = [], None
    for _ in range(9):
        found = await listed(desk, Tab.MINE, after, 2)
        walked += [card.ref for card in found.cards]
        after = found.after
        if after is None:
            break
    assert walked == [ref for _, ref in sorted(made)]
    for case_ref in walked[:3]:
        seen(await desk.cases.withdraw(desk.market.buyer, case_ref))
    first = await listed(desk, Tab.CLOSED, None, 2)
    rest = await listed(desk, Tab.CLOSED, first.after, 2)
    assert [card.ref for card in [*first.cards, *rest.cards]] == sorted(walked[:3], reverse=True)
    assert rest.after is None


async def test_a_list_and_its_bulk_are_the_owners_alone(desk: Desk) -> None:
    case = await desk.case()
    for stranger in (desk.market.buyer, desk.market.staff):
        assert code(await desk.cases.inbox.page(stranger, desk.market.shop_id, Tab.MINE)) is Refusal.NOT_FOUND
        told = await desk.cases.inbox.grant(stranger, desk.market.shop_id, [ToGrant(case.ref, 9650)])
        assert not isinstance(told, Refused)
        assert told[0].refused in {Refusal.NOT_ALLOWED, Refusal.NOT_FOUND}
    elsewhere = await desk.cases.inbox.grant(desk.market.owner, desk.market.shop_id + 1, [ToGrant(case.ref, 9650)])
    assert not isinstance(elsewhere, Refused)
    assert elsewhere[0].refused is Refusal.NOT_FOUND
    for wishes in ([], [ToGrant(f"1-{n + 1}", 0) for n in range(51)]):
        assert code(await desk.cases.inbox.grant(desk.market.owner, 1, wishes)) is Refusal.INVALID_FIELDS


async def test_each_case_of_a_bulk_is_done_or_says_why_not_and_a_repeat_changes_nothing(desk: Desk) -> None:
    whole, gone, offered, changed = [await desk.case() for _ in range(4)]
    part = await desk.case(HALF)
    seen(await desk.cases.withdraw(desk.market.buyer, gone.ref))
    seen(await desk.cases.offer(desk.market.owner, offered.ref, LESS))
    wishes = [
        ToGrant(whole.ref, 9650),
        ToGrant(gone.ref, 9650),
        ToGrant(offered.ref, 9650),
        ToGrant(changed.ref, 9000),
        ToGrant(part.ref, 4000),
        ToGrant("nothing", 1),
    ]
    expected = [None, Refusal.CASE_CLOSED, None, Refusal.DEMAND_CHANGED, None, Refusal.NOT_FOUND]
    for _ in range(2):
        told = await desk.cases.inbox.grant(desk.market.owner, desk.market.shop_id, wishes)
        assert not isinstance(told, Refused)
        assert [one.refused for one in told] == expected
    assert await desk.escrow(whole) == ("refunded", 9650, 0, 0)
    assert await desk.escrow(part) == ("split", 4000, 5650, 113)
    assert await desk.escrow(changed) == ("disputed", 0, 0, 0)
    assert seen(await desk.cases.case(desk.market.owner, offered.ref)).offers[-1].refund_minor == 9650


async def test_two_bulks_at_once_grant_each_case_once(desk: Desk) -> None:
    made = [await desk.case() for _ in range(3)]
    wishes = [ToGrant(case.ref, 9650) for case in made]
    both = await asyncio.gather(
        desk.cases.inbox.grant(desk.market.owner, desk.market.shop_id, wishes),
        desk.cases.inbox.grant(desk.market.owner, desk.market.shop_id, wishes[::-1]),
    )
    for told in both:
        assert not isinstance(told, Refused)
        assert [one.refused for one in told] == [None] * 3
    for case in made:
        assert len(seen(await desk.cases.case(desk.market.owner, case.ref)).offers) == 1


async def test_the_lists_go_by_their_indexes(database: Database, desk: Desk) -> None:
    await desk.case()
    sql = load_queries("kabao.cases.inbox")
    for name, arguments in (
        ("open_cards", (1, "mine", NOON - timedelta(days=1), 0, 20, NOON)),
        ("ended_cards", (1, "closed", 9, 20, NOON)),
        ("counts", (1, 1000)),
    ):
        async with database.transaction() as conn:
            await conn.execute("SET LOCAL enable_seqscan = off")
            await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            plan = "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {sql[name]}", *arguments))
        assert "Seq Scan" not in plan
