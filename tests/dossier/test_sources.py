"""Every business row becomes one record: whole, once, the same when it is written again, and never with a key."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from dispute import MERCHANTS, Desk, seen
from kabao.cases import MakeOffer, Outcome, Remedy, Rule
from kabao.dossier import RowSource, record_sources
from kabao.kernel import Refused
from kabao.postgres import Database, load_queries
from kabao.tlog import Draft, StoredRecord

SQL = load_queries("kabao.dossier")


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    return await Desk.ready(database, tmp_path)


async def lines(*parts: str) -> Any:
    for part in parts:
        yield part.encode()


async def taken(database: Database) -> list[Draft]:
    """Take and mark everything that waits, as the log does."""
    drafts: list[Draft] = []
    async with database.transaction() as conn:
        for source in record_sources():
            some = await source.take(conn, 1000)
            await source.mark(conn, [(draft, len(drafts) + n) for n, draft in enumerate(some)])
            drafts += some
    return drafts


async def story(desk: Desk) -> list[Draft]:
    """Buy, open, claim, talk, show, offer, refuse, rise, rule."""
    market = desk.market
    case = await desk.case()
    item = await desk.cases.add_file(market.buyer, case.ref, "报错.txt", lines("激活失败：已被使用"))
    assert not isinstance(item, Refused), item
    seen(await desk.cases.say(market.owner, case.ref, "我们看看。"))
    seen(await desk.cases.offer(market.owner, case.ref, MakeOffer(kind=Remedy.REPLACEMENT, note="先补发")))
    case = seen(await desk.cases.case(market.buyer, case.ref))
    assert case.open_offer is not None
    seen(await desk.cases.refuse_offer(market.buyer, case.ref, case.open_offer.offer_id))
    seen(await desk.cases.escalate(market.buyer, case.ref))
    facts, reasons = "拆封三分钟后提示已被使用。", "商家没有举证。"
    await desk.ruled(case, Rule(shares=MERCHANTS, outcome=Outcome.FULL_REFUND, facts=facts, reasons=reasons))
    return await taken(desk.database)


def bodies(drafts: list[Draft], kind: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(draft.body) for draft in drafts if draft.kind == kind]


async def test_a_whole_story_is_written_out(desk: Desk) -> None:
    drafts = await story(desk)
    orders = {body["content"]["event"]: body for body in bodies(drafts, "order_event")}
    seen_by_buyer = orders["placed"]["content"]["seen"]
    assert len(seen_by_buyer["terms_sha256"]) == 64
    assert seen_by_buyer["notices"][0]["wording"]
    assert orders["paid"]["content"]["payment"]["amount_minor"] == orders["paid"]["content"]["amount_minor"]
    assert orders["delivered"]["content"]["delivery"] == {"promise_seconds": 60, "keys": 1, "sealed": True}
    reveal = orders["opened"]["content"]["reveals"][0]
    assert reveal["pos"] == 1
    assert reveal["device"]
    assert len(reveal["receipt_sha256"]) == 64
    cases = {body["content"]["event"]: body["content"] for body in bodies(drafts, "case_event")}
    assert cases["opened"]["claim"]["demand"] == "full_refund"
    assert cases["offered"]["offer"] == {"by": "merchant", "kind": "replacement", "refund_minor": 0, "note": "先补发"}
    assert cases["refused"]["offer"]["kind"] == "replacement"
    assert cases["ruled"]["ruling"]["reasons"] == "商家没有举证。"
    assert bodies(drafts, "message")[0]["content"] == {"text": "我们看看。"}
    item = bodies(drafts, "item")[0]["content"]
    assert (item["no"], item["name"], item["media_type"]) == (1, "报错.txt", "text/plain")


async def test_every_row_is_taken_once_and_oldest_first(desk: Desk) -> None:
    drafts = await story(desk)
    assert await taken(desk.database) == []
    for source in record_sources():
        numbers = [draft.source_id for draft in drafts if draft.source == source.name]
        assert numbers == sorted(set(numbers))


async def test_a_body_written_again_is_the_same_and_knows_its_mark(desk: Desk) -> None:
    drafts = await story(desk)
    async with desk.database.connection() as conn:
        for source in record_sources():
            mine = [(n, draft) for n, draft in enumerate(drafts) if draft.source == source.name]
            again = await source.again(conn, [stored(draft, n) for n, draft in mine])
            assert [one and one.body for one in again] == [draft.body for _, draft in mine]
            assert [one and one.position for one in again] == [n for n, _ in mine]


async def test_a_row_that_is_not_there_is_none(desk: Desk) -> None:
    drafts = await story(desk)
    gone = msgspec.structs.replace(stored(drafts[0], 0), source_id=999_999)
    async with desk.database.connection() as conn:
        assert await RowSource("order_event").again(conn, [gone]) == [None]


async def test_a_row_that_another_holds_is_left_for_the_next_time(desk: Desk) -> None:
    await desk.bought()
    source = RowSource("order_event")
    async with desk.database.transaction() as first, desk.database.transaction() as second:
        held = await source.take(first, 2)
        other = await source.take(second, 100)
        assert len(held) == 2
        assert not {draft.source_id for draft in held} & {draft.source_id for draft in other}


async def test_a_census_counts_marked_and_waiting_rows(desk: Desk) -> None:
    await desk.bought()
    drafts = await taken(desk.database)
    await desk.bought()
    source = RowSource("order_event")
    async with desk.database.connection() as conn:
        later = await source.census(conn, drafts[0].at.replace(year=2999))
        earlier = await source.census(conn, drafts[0].at.replace(year=2000))
    assert later.marked == earlier.marked == sum(draft.source == "order_event" for draft in drafts)
    assert later.waiting == 4
    assert later.oldest is not None
    assert (earlier.waiting, earlier.oldest) == (0, None)


@pytest.mark.parametrize(
    "name", [name for name in sorted(SQL) if name.endswith(("_due", "_mark")) or f"{name}_due" in SQL]
)
async def test_no_source_reads_a_whole_table(desk: Desk, name: str) -> None:
    await story(desk)
    keys: list[Any] = [[1], [1], [1]]
    arguments = [10] if name.endswith("_due") else [*keys, [1]] if name.endswith("_mark") else keys
    async with desk.database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        plan = "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {SQL[name]}", *arguments))
    assert "Seq Scan" not in plan


def stored(draft: Draft, position: int) -> StoredRecord:
    return StoredRecord(
        shop_id=draft.shop_id,
        order_id=draft.order_id,
        record_id=position,
        source=draft.source,
        source_id=draft.source_id,
        kind=draft.kind,
        body=draft.body,
        salt=bytes(32),
        commitment=bytes(32),
        position=position,
        at=draft.at,
    )
