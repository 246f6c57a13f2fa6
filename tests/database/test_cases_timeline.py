"""One list of lines, the same for both sides, in the order things happened."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dispute import HOUR, MERCHANTS, WISH, Desk, code, seen
from kabao.cases import MakeOffer, Outcome, Remedy, Rule
from kabao.evidence import Item
from kabao.kernel import Refusal, Refused
from kabao.postgres import Database


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    return await Desk.ready(database, tmp_path)


async def stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def test_everything_stands_in_one_order_with_digests(desk: Desk) -> None:
    order_id = await desk.bought()
    desk.pass_time(HOUR)
    case = seen(await desk.cases.open(desk.market.buyer, desk.order_ref(order_id), WISH))
    desk.pass_time(HOUR)
    await desk.cases.add_file(desk.market.buyer, case.ref, "截图.txt", stream("已被使用".encode()))
    desk.pass_time(HOUR)
    await desk.cases.say(desk.market.buyer, case.ref, "请看证据 1。")
    desk.pass_time(HOUR)
    await desk.cases.offer(
        desk.market.owner, case.ref, MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=6000, note="补你 60。")
    )
    desk.pass_time(48 * HOUR)
    await desk.cases.tick()
    wish = Rule(shares=MERCHANTS, outcome=Outcome.FULL_REFUND, facts="核销更早。", reasons="商家未举证。")
    await desk.executed(case, wish)

    bought, sold, staff = [
        seen(await desk.cases.case(who, case.ref)) for who in (desk.market.buyer, desk.market.owner, desk.market.staff)
    ]
    assert bought.timeline == sold.timeline == staff.timeline
    lines = bought.timeline
    assert [(line.who, line.kind) for line in lines] == [
        ("buyer", "placed"),
        ("custodian", "paid"),
        ("system", "delivered"),
        ("buyer", "opened"),
        ("buyer", "opened"),
        ("buyer", "frozen"),
        ("buyer", "file"),
        ("buyer", "message"),
        ("merchant", "offered"),
        ("system", "rose"),
        ("support", "ruled"),
        ("system", "executed"),
        ("system", "ruled_refund"),
    ]
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert all(len(line.digest) == 32 for line in lines)
    assert len({line.digest for line in lines}) == len(lines)
    assert lines[3].text == "买家拆封了第 1 张卡密。"
    assert (lines[4].text, lines[4].said) == (
        "买家发起纠纷：卡密提示已被使用，要求全额退款 ¥96.50。",
        WISH.statement,
    )
    assert lines[6].file is not None
    assert (lines[6].file.item_no, lines[6].file.file_name) == (1, "截图.txt")
    assert lines[7].said == "请看证据 1。"
    assert (lines[8].text, lines[8].said) == ("商家提出方案：部分退款 ¥60.00。", "补你 60。")
    assert lines[8].offer is not None
    assert (lines[9].text, lines[9].said) == ("买家到时没有回应，已转给客服，这不影响买家的权利。", "")
    assert lines[10].said == "查明：核销更早。\n理由：商家未举证。"
    assert lines[12].text == "按裁决退给买家 ¥96.50。"


async def test_the_same_case_read_twice_has_the_same_digests(desk: Desk) -> None:
    case = await desk.case()
    again = seen(await desk.cases.case(desk.market.owner, case.ref))
    assert [line.digest for line in again.timeline] == [line.digest for line in case.timeline]


async def test_words_reach_the_other_side_and_support_reaches_both(desk: Desk) -> None:
    case = await desk.case()
    seen(await desk.cases.say(desk.market.staff, case.ref, "请双方补充。"))
    for account in (desk.market.buyer, desk.market.owner):
        assert "「测试点卡」的纠纷：客服留了言" in await desk.subjects(account)
    assert code(await desk.cases.say(desk.market.buyer, case.ref, " ")) is Refusal.INVALID_FIELDS


async def test_talk_and_files_are_taken_after_the_end(desk: Desk) -> None:
    case = await desk.case()
    await desk.cases.accept_demand(desk.market.owner, case.ref)
    assert seen(await desk.cases.say(desk.market.buyer, case.ref, "收到了，谢谢。")).timeline[-1].kind == "message"
    added = await desk.cases.add_file(desk.market.buyer, case.ref, "a.txt", stream(b"later"))
    assert isinstance(added, Item)


async def test_a_preview_is_for_both_and_an_original_for_its_giver_and_support(desk: Desk) -> None:
    case = await desk.case()
    item = await desk.cases.add_file(desk.market.buyer, case.ref, "a.txt", stream(b"my own words"))
    assert isinstance(item, Item)
    assert item.case_id is not None
    for who in (desk.market.buyer, desk.market.owner, desk.market.staff):
        preview = await desk.cases.preview(who, case.ref, item.item_id)
        assert not isinstance(preview, Refused)
        assert preview.content == b"my own words"
    for who in (desk.market.buyer, desk.market.staff):
        assert not isinstance(await desk.cases.original(who, case.ref, item.item_id), Refused)
    assert code(await desk.cases.original(desk.market.owner, case.ref, item.item_id)) is Refusal.NOT_FOUND
