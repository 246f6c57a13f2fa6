"""Before a purchase: a shop's page is read for what it promises, leaves out and asks, and forgotten."""

from pages import Site

PAGE = (
    "某点卡 100 元\n秒发，质保30天，坏卡包换。加QQ私聊转账优惠。\n不支持试用，一经售出概不退换。\n请勿相信任何红包返利"
)


async def test_a_page_is_read_for_what_it_says_leaves_out_and_how_it_is_paid(site: Site) -> None:
    stranger = site.stranger()
    page = await stranger.get("/check")
    assert "付款前先留好" in page.text
    page = await stranger.send("/check", {"kind": "page", "text": PAGE})
    assert page.status == 200
    said, left = page.text.split("没写的，先问清楚")
    danger, said = said.split("它写了什么")
    assert "「加QQ私聊转账优惠」" in danger
    assert "红包返利" not in danger
    assert "「秒发，质保30天，坏卡包换」" in said
    assert "「不支持试用，一经售出概不退换」" in left
    assert "纠纷记录" in left
    assert "依法应属无效" in left
    assert "法律的底线" in left
    assert page.headers["cache-control"] == "no-store"


async def test_the_same_in_english_and_a_page_without_promises(site: Site) -> None:
    stranger = site.stranger()
    await stranger.get("/check?lang=en")
    page = await stranger.send("/check?lang=en", {"text": "<b>hello"})
    assert "Law: Consumer Rights Protection Law, Article" in page.words
    assert "Law: 《" not in page.words
    assert "It says none of this." in page.text
    assert "Keep before you pay" in page.text
    assert "Stop first" not in page.text
    assert "&lt;b&gt;hello" in page.text
    assert 'action="/check?lang=en"' in page.text


async def test_what_is_empty_too_long_or_sent_from_elsewhere_is_refused(site: Site) -> None:
    stranger = site.stranger()
    await stranger.get("/check?lang=en")
    page = await stranger.send("/check?lang=en", {"text": " "})
    assert (page.status, "choose a file first." in page.words) == (422, True)
    page = await stranger.send("/check?lang=en", {"text": "概" * 20_001})
    assert (page.status, "At most 20000 characters" in page.words) == (422, True)
    page = await stranger.send("/check?lang=en", {"text": "概" * 200_000})
    assert (page.status, "At most 20000 characters" in page.words) == (422, True)
    await stranger.get("/check")
    page = await stranger.send("/check", {"text": "概" * 20_001})
    assert (page.status, "最多 20000 个字" in page.words) == (422, True)
    other = site.stranger()
    page = await other.post("/check", {"text": PAGE})
    assert page.status == 403
