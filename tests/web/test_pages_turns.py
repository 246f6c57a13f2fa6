"""Pages at the wrong moment: no session, a step that is over, an offer that is gone, an import that still runs."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from kabao.identity import Role
from kabao.kernel import parse_ref
from kabao.web.words import duration, headline, order_flow, size_text, time_left
from media import picture
from pages import KEYS, Site

FORMS = (
    "/o/1-2/reveal",
    "/o/1-2/refund",
    "/o/1-2/confirm",
    "/o/1-2/cancel",
    "/o/1-2/pay",
    "/o/1-2/say",
    "/o/1-2/problem",
    "/c/1-2/say",
    "/c/1-2/offer",
    "/c/1-2/accept",
    "/c/1-2/refuse",
    "/c/1-2/escalate",
    "/c/1-2/withdraw",
    "/desk/check",
    "/desk/1-2/draft",
    "/desk/1-2/fact",
    "/desk/1-2/rule",
    "/desk/1-2/say",
    "/m/shops/new",
    "/m/1/edit",
    "/m/1/listings/new",
    "/m/1/listings/1-2",
    "/m/1/listings/1-2/pause",
    "/m/1/listings/1-2/keys",
    "/me",
    "/messages",
    "/sign-out",
)
PAGES = (
    "/o/1-2/live",
    "/o/1-2/reveal",
    "/o/1-2/files/3",
    "/o/1-2/files/3/original",
    "/c/1-2/live",
    "/c/1-2/offer",
    "/c/1-2/accept",
    "/c/1-2/withdraw",
    "/m/1/edit",
    "/m/1/orders",
    "/m/1/listings",
    "/m/1/listings/new",
    "/m/1/listings/1-2/keys",
    "/m/1/listings/1-2/keys/live",
    "/desk/check",
    "/desk/1-2",
    "/desk/1-2/beside",
)


async def test_without_a_session_every_form_is_kept_and_every_page_waits(site: Site) -> None:
    stranger = site.stranger()
    for path in FORMS:
        page = await stranger.post(path, {"body": "写过的话"})
        assert page.status == 401, path
        assert 'name="kept"' in page.text, path
    for path in PAGES:
        assert (await stranger.get(path)).path.startswith("/sign-in?next="), path


async def test_someone_signed_in_is_not_asked_again(site: Site) -> None:
    buyer = await site.person("小买家")
    assert (await buyer.get("/sign-in?next=/o")).path == "/o"
    assert (await buyer.get("/signin?next=/o")).path == "/o"
    page = await buyer.post("/sign-in", {"phone": "13800000001", "next": "/me"})
    assert page.path == "/me"
    page = await buyer.post("/sign-in/link/x", {"csrf_token": "wrong"})
    assert page.status == 403
    page = await buyer.post("/sign-in/code", {"phone": "13800000001", "code": "1", "next": "//elsewhere.example"})
    assert page.path == "/"


async def test_an_order_that_moved_on_says_so(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    for act in ("reveal", "refund", "confirm"):
        await buyer.get(f"/o/{ref}/{act}")
    old = buyer.page.form("/confirm").fields
    await buyer.send("/confirm")
    for act in ("reveal", "refund", "confirm"):
        page = await buyer.get(f"/o/{ref}/{act}")
        assert page.path in {f"/o/{ref}", f"/o/{ref}/reveal"}, act
    for act in ("confirm", "refund", "cancel", "pay"):
        page = await buyer.post(f"/o/{ref}/{act}", old)
        assert page.status == 409, act
    page = await buyer.post(f"/o/{ref}/problem", old | {"claim": "other", "demand": "full_refund", "statement": "坏了"})
    assert page.path.startswith("/c/")
    assert "已经放款" in page.text


async def test_two_tabs_open_one_case(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/problem")
    form = (await buyer.send("/problem", {"claim": "other"})).form("/problem").fields
    page = await buyer.post(f"/o/{ref}/problem", form)
    assert page.status == 422
    assert "把括号里的改成你的事实" in page.text
    filled = form | {"claim": "other", "statement": "坏了", "by_person": "yes"}
    first = await buyer.post(f"/o/{ref}/problem", filled)
    second = await buyer.post(f"/o/{ref}/problem", filled)
    assert first.path == second.path
    assert (await buyer.get(f"/o/{ref}/problem")).path == first.path
    assert "到纠纷页里接着说" in (await buyer.get(f"/o/{ref}")).text


async def test_a_case_refuses_steps_out_of_turn(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "other", "statement": "坏了", "by_person": "yes"})
    case = page.path
    assert (await buyer.get(f"{case}/accept")).path == case
    page = await buyer.send("/say", {"body": ""})
    assert page.status == 422
    page = await buyer.send("/say", {"body": "x" * 2001})
    assert page.status == 422
    await merchant.get(case)
    page = await merchant.send("/say")
    assert page.status == 422
    assert "把括号里的改成你的话" in page.text
    assert (await merchant.get(f"{case}/withdraw")).path == case
    await merchant.get(f"{case}/offer")
    page = await merchant.send("/offer", {"kind": "nonsense"})
    assert page.status == 422
    page = await merchant.send("/offer", {"kind": "full_refund", "note": "x" * 501})
    assert page.status == 422
    await merchant.send("/offer", {"kind": "full_refund", "note": ""})
    await buyer.get(f"{case}/accept")
    page = await buyer.send("/accept", {"offer": "123"})
    assert page.status == 409
    page = await buyer.get(f"{case}/withdraw")
    assert "还能再提；同一单撤回满 2 次，就不能再提了。" in page.words
    old = buyer.page.form("/withdraw").fields
    page = await buyer.send("/withdraw")
    assert "案件已经结束，再补证据也不会改判" in page.text
    assert not any(words in page.text for words in ("补了证据会变", "什么会改变它"))
    assert (await buyer.get(f"{case}/offer")).path == case
    page = await buyer.post(f"{case}/offer", old | {"kind": "full_refund"})
    assert page.status == 409


async def test_support_may_not_rule_too_early_nor_as_a_party(site: Site) -> None:
    _, _, listing = await site.selling()
    staff = await site.support()
    ref = await site.bought(staff, listing)
    await staff.get(f"/o/{ref}/problem")
    page = await staff.send("/problem", {"claim": "other", "statement": "坏了", "by_person": "yes"})
    case = page.path.split("/")[2]
    assert (await staff.get(f"/desk/{case}")).path == f"/c/{case}"
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "other", "statement": "坏了", "by_person": "yes"})
    early = page.path.split("/")[2]
    page = await staff.get(f"/desk/{early}")
    assert "现在不轮到你" in page.text
    page = await staff.send("/say", {"body": ""})
    assert page.status == 422
    token = page.form("/say").fields
    ruling = {"outcome": "full_refund", "facts": "事实", "reasons": "理由", "step": "sure", "share_merchant": "100"}
    page = await staff.post(f"/desk/{early}/rule", token | ruling)
    assert page.status == 409
    page = await staff.post(f"/desk/{early}/rule", token | ruling | {"outcome": "nonsense"})
    assert "选裁决结果" in page.text
    page = await staff.post(f"/desk/{early}/rule", token | ruling | {"outcome": "partial_refund", "refund": "9999"})
    assert page.status == 422
    other = await site.person("路人")
    page = await other.get("/me")
    page = await other.post("/desk/check", page.form("/me").fields | {"password": "x", "totp": "1"})
    assert page.status in {401, 404}


async def test_a_running_import_is_shown_and_a_second_one_waits(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    parsed = parse_ref(listing)
    assert parsed
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield "".join(f"SLOW-{number}\n" for number in range(20_000)).encode()
        await go_on.wait()
        yield b"SLOW-LAST\n"

    work = asyncio.create_task(
        site.app.inventory.import_keys(
            parsed.shop_id, parsed.object_id, slow(), file_name="slow.txt", total_bytes=10**6
        )
    )
    path = f"/m/{shop}/listings/{listing}/keys"
    for _ in range(100):
        page = await merchant.get(path)
        if "正在导入" in page.text:
            break
        await asyncio.sleep(0.05)
    assert "正在导入" in page.text
    assert "/keys/live" in page.text
    assert (await merchant.get(f"{path}/live")).status == 200
    await merchant.get(path)
    page = await merchant.send("/keys", {"keys": "NEW"})
    assert page.status == 409
    go_on.set()
    await work
    assert (await merchant.get(f"{path}/live")).status == 286


async def test_goods_that_may_not_be_sold_stay_a_draft(site: Site) -> None:
    merchant, shop, _ = await site.selling()
    await merchant.get(f"/m/{shop}/listings/new")
    page = await merchant.send(
        "/listings/new", {"title": "银行卡四件套", "description": "实名银行卡出售", "price_minor": "9"}
    )
    ref = page.path.split("/")[4]
    # The draft is kept and says at once what would not go on sale.
    assert page.path == f"/m/{shop}/listings/{ref}"
    assert "这样写不能上架" in page.text
    page = await merchant.send(f"/listings/{ref}", {"then": "publish"})
    assert page.status == 422
    assert "已保存，没有上架" in page.text
    page = await merchant.send(f"/listings/{ref}", {"title": "x"})
    assert page.status == 422


async def test_reveal_is_limited(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    form = (await buyer.get(f"/o/{ref}/reveal")).form("/reveal").fields
    [account] = await site.app.accounts("小买家")
    for _ in range(60):
        await site.app.identity.allow(f"reveal:{account}", 60, 3600)
    page = await buyer.post(f"/o/{ref}/reveal", form)
    assert page.status == 429
    assert not any(key in (page.text) for key in KEYS)


async def test_an_empty_desk_and_a_full_market_have_their_words(site: Site) -> None:
    staff = await site.support()
    assert "队列是空的" in (await staff.get("/desk")).text
    merchant = await site.person("店主二", Role.MERCHANT)
    assert "你还没有店铺" in (await merchant.get("/m")).text
    assert "还没有消息" in (await merchant.get("/messages")).text
    assert "没有找到" in (await merchant.get("/?q=没有这个")).text
    assert "还没有在卖的商品" in (await merchant.get("/?before=x")).text
    assert "这里还没有订单" in (await merchant.get("/o?t=nonsense")).text


@pytest.mark.parametrize(
    ("seconds", "text"), [(60, "1 分钟"), (30, "1 分钟"), (7200, "2 小时"), (259200, "3 天"), (90000, "25 小时")]
)
def test_lengths_of_time_are_written_as_people_say_them(seconds: int, text: str) -> None:
    assert duration(seconds) == text


def test_time_left_tells_how_urgent_it_is() -> None:
    assert time_left(0) == ("已到时", "t-bad")
    assert time_left(3600) == ("1:00", "t-bad")
    assert time_left(7200 * 5) == ("10:00", "t-warn")
    assert time_left(86400 * 3) == ("3 天 0 小时", "")


def test_states_have_words_for_each_side() -> None:
    assert headline("delivered", in_case=False, viewer="merchant") == "卡密已送达，等买家拆封"
    assert headline("settled", in_case=False, viewer="merchant") == "订单结清了"
    assert headline("opened", in_case=True, viewer="buyer") == "这单在处理纠纷"
    stranded = {
        viewer: headline("refunded", in_case=False, viewer=viewer, is_stranded=True) for viewer in ("buyer", "merchant")
    }
    assert stranded == {"buyer": "退款没退到，换个账户就能退", "merchant": "已全额退款"}
    assert headline("refunded", in_case=False, viewer="buyer", is_charged_back=True) == "付款被银行撤回了"
    assert order_flow("expired") is None
    assert size_text(10) == "10 字节"
    assert size_text(883_443) == "863 KB"
    assert size_text(3 * 1048576) == "3.0 MB"


async def test_a_party_adds_a_fact_and_the_rules_are_asked_anew(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/reveal")
    await buyer.send("/reveal")
    await buyer.get(f"/o/{ref}/problem?claim=already_used")
    page = await buyer.send(
        "/problem",
        {"claim": "already_used", "demand": "full_refund", "statement": "20:15 激活提示已被使用，要求全额退款。"},
    )
    assert "按规则怎么判" in page.text
    assert "不支持退款" in page.words
    case = page.path
    # What support alone finds is not offered to a party, nor taken from one.
    assert 'value="records_withheld"' not in page.text
    page = await buyer.send("/fact", {"fact": "records_withheld"})
    assert (page.status, "只能由客服查明" in page.text) == (422, True)
    page = await buyer.send("/fact", {"fact": "key_failed"})
    assert page.path == case
    assert "这是按现有事实推出来的，不是裁决" in page.text
    page = await buyer.send("/fact", {"fact": "no_such_fact"})
    assert page.status == 422
    assert "规则里没有这个事实" in page.text


async def test_a_buyer_is_led_from_a_file_to_what_it_shows_and_sees_whose_turn_it_is(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    case = await site.complained(buyer, listing)
    page = await buyer.get(f"/c/{case}")
    assert "商家回应后，或者" in page.words
    assert "起，你就可以请客服介入，不用等到时限。" in page.words
    assert "等商家，最晚" in (await buyer.get("/o")).words
    await buyer.get(f"/c/{case}")
    page = await buyer.send("/say", files=[("files", ("shot.png", picture("PNG"), "image/png"))])
    link = next(link for link in page.read.links if link.endswith("?item=1#add-fact"))
    assert not any("#add-fact" in link for link in (await merchant.get(f"/c/{case}")).read.links)
    page = await buyer.get(link.partition("#")[0])
    assert page.form("/fact").fields["item_no"] == ["1"]
    page = await buyer.send("/fact", {"fact": "key_failed"})
    assert "按规则推出的结果重新算过了" in page.text
    assert "#add-fact" not in page.text.replace('id="add-fact"', "")
    # An offer of one's own binds; that the other side only talked is not told as its decision.
    await buyer.get(f"/c/{case}/offer")
    page = await buyer.send("/offer", {"kind": "partial_refund", "refund": "50"})
    assert "在出裁决以前对方都可以接受。想改，换一个方案，这个就作废。" in page.words.replace(" ", "")
    await merchant.get(f"/c/{case}")
    await merchant.send("/say", {"kind": "answer", "body": "我们查过，是好的。"})
    page = await buyer.get(f"/c/{case}")
    assert "商家回应了，还没有决定要不要接受你的方案。" in page.words
    assert "轮到你 ，" in (await buyer.get("/o?t=in_case")).words


async def test_a_case_that_new_keys_ended_says_what_is_still_held(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    case = await site.complained(buyer, listing)
    await merchant.get(f"/c/{case}/offer")
    await merchant.send("/offer", {"kind": "replacement"})
    await buyer.get(f"/c/{case}/accept")
    page = await buyer.send("/accept")
    assert "去看新的卡密" in page.words
    assert "托管中 ¥96.50" in page.words.replace("¥ 96 .50", "¥96.50")


async def test_a_key_still_sealed_beside_the_disputed_one_has_its_way_back(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing, quantity=2)
    await buyer.get(f"/o/{ref}/reveal")
    await buyer.send("/reveal", {"pos": "1"})
    await buyer.get(f"/o/{ref}/problem?claim=already_used")
    page = await buyer.send("/problem", {"claim": "already_used", "statement": "第 1 张提示已被使用。"})
    assert "还有 1 张没拆封，纠纷期间不能拆，也不能直接退。" in page.words


async def test_a_claim_that_cannot_be_opened_any_more_is_told_before_it_is_written(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    buyer = await site.person("小买家")
    case = await site.complained(buyer, listing)
    page = await merchant.get("/m")
    assert "预计和每种选择的代价" in page.words
    assert f"/m/{shop}/cases" in page.read.links
    order = next(one for one in (await buyer.get(f"/c/{case}")).read.links if one.startswith("/o/") and "#" not in one)
    for _ in range(2):
        await buyer.get(f"/c/{case}/withdraw")
        await buyer.send("/withdraw")
        page = await buyer.get(f"{order}/problem")
        if page.status == 200:
            await buyer.send("/problem", {"claim": "other"})
            case = (await buyer.send("/problem", {"statement": "又不行了", "step": ""})).path.removeprefix("/c/")
    assert (page.status, "买家最多撤回两次" in page.words) == (409, True)
    assert "又不行了" not in page.words


async def test_how_many_to_buy_is_told_with_its_figures(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    notices = ["no_reason_after_open", "validity"]
    await buyer.get(f"/buy/{listing}")
    for wrong, why in (("0", "填 1 到 10 的整数"), ("一", "填 1 到 10 的整数"), ("１１", "一次最多 10 张，没有下单。")):
        page = await buyer.send(f"/buy/{listing}", {"quantity": wrong, "notice": notices})
        assert (page.status, why in page.words) == (422, True), wrong
    page = await buyer.send(f"/buy/{listing}", {"quantity": "２", "notice": notices})
    assert "× 2" in page.words


async def test_who_decides_no_cases_is_not_led_to_the_desk(site: Site) -> None:
    operator = await site.person("运营一", Role.OPERATOR)
    assert (operator.page.status, operator.page.path) == (200, "/")
