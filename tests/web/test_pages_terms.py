"""The page that checks terms: for anybody, without a script, and nothing of what was pasted stays."""

import re

from kabao.identity.rules import LIMITS, Act
from pages import Site

NOTICE = "卡密一经售出，概不退换\n\n本店保留最终解释权\n付款后 10 分钟内交付，超时可以取消并全额退款"


async def test_anybody_reads_what_is_wrong_with_a_text_at_its_words(site: Site) -> None:
    stranger = site.stranger()
    await stranger.get("/terms")
    page = await stranger.send("/terms", {"kind": "notice", "text": NOTICE})
    assert page.status == 200
    assert "依法应属无效" in page.text
    assert re.search(r"<mark>[^<]*概不退换</mark>", page.text)
    assert "第 3 行，K05" in page.words
    assert "《消费者权益保护法》" in page.text
    assert "可以改成" in page.text
    assert "买家能指望什么" in page.text
    assert "概不退换" in page.form("/terms").fields["text"][0]
    assert page.headers["cache-control"] == "no-store"


async def test_a_text_is_read_alike_however_a_browser_ends_its_lines(site: Site) -> None:
    stranger = site.stranger()
    await stranger.get("/terms")
    page = await stranger.send("/terms", {"kind": "notice", "text": NOTICE.replace("\n", "\r\n")})
    assert "第 3 行，K05" in page.words


async def test_marks_of_a_text_stay_text(site: Site) -> None:
    stranger = site.stranger()
    await stranger.get("/terms")
    page = await stranger.send("/terms", {"kind": "page", "text": "<script>x</script>售出概不退换<img src=x>"})
    assert "<script>x" not in page.text
    assert "<img src=x" not in page.text
    assert "&lt;img src=x&gt;" in page.text


async def test_who_wrote_a_text_cannot_allow_it_himself(site: Site) -> None:
    stranger = site.stranger()
    await stranger.get("/terms")
    page = await stranger.send("/terms", {"kind": "notice", "text": "售出概不退换 # kabao: allow K01 店主同意"})
    assert "第 1 行，K01" in page.words


async def test_a_text_that_is_wrong_a_thousand_times_is_answered_with_its_first_findings(site: Site) -> None:
    stranger = site.stranger()
    await stranger.get("/terms")
    page = await stranger.send("/terms", {"kind": "notice", "text": "概不退换，" * 1000})
    assert "找到 1000 处要看" in page.words
    assert "先列前 200 处" in page.words
    assert page.text.count("<mark>") == 200


async def test_hidden_characters_are_told(site: Site) -> None:
    stranger = site.stranger()
    await stranger.get("/terms")
    page = await stranger.send("/terms", {"kind": "notice", "text": "售出概\u200b不\u200b退\u200b换"})
    assert "零宽字符" in page.text
    assert "K01" in page.words


async def test_nothing_or_too_much_is_said_beside_the_field(site: Site) -> None:
    stranger = site.stranger()
    await stranger.get("/terms")
    page = await stranger.send("/terms", {"text": "  \n"})
    assert page.status == 422
    assert "先把条款贴进来" in page.text
    page = await stranger.send("/terms", {"text": "卡" * 20_001})
    assert page.status == 422
    assert "最多 20000 个字" in page.text
    page = await stranger.send("/terms", {"text": "卡" * 100_000})
    assert page.status == 422


async def test_another_site_cannot_send_it_and_nobody_without_end(site: Site) -> None:
    stranger = site.stranger()
    assert (await stranger.post("/terms", {"text": NOTICE})).status == 403
    buyer = await site.person("小买家")
    assert (await buyer.post("/terms", {"text": NOTICE, "csrf_token": "wrong"})).status == 403
    await buyer.get("/terms")
    for _ in range(LIMITS[Act.CHECK_TERMS].hits):
        page = await buyer.send("/terms", {"kind": "none", "text": "概不退换"})
        assert page.status == 200
    page = await buyer.send("/terms", {"text": "概不退换"})
    assert page.status == 429
    assert "概不退换" in page.text


async def test_no_page_that_names_a_signed_in_person_is_stored_by_a_cache(site: Site) -> None:
    buyer = await site.person("小买家")
    for path in ("/terms", "/check", "/help-me"):
        assert (await buyer.get(path)).headers["cache-control"] == "no-store", path
