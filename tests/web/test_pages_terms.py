"""The page that checks terms: for anybody, without a script, and nothing of what was pasted stays."""

import io
import re

from pypdf import PdfWriter

from kabao.identity.rules import LIMITS, Act
from kabao.terms.apart import Readers
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
    assert "先贴文字，或者选一个文件" in page.text
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


def sent(name: str, content: bytes, field: str = "file") -> tuple[str, tuple[str, bytes, str]]:
    return field, (name, content, "application/octet-stream")


async def test_two_documents_are_held_against_each_other_and_each_finding_names_its_own(site: Site) -> None:
    stranger = site.stranger()
    await stranger.get("/terms")
    agreement = "卡密一经售出，概不退换。\n发货后3天内提出售后。\n质保30天。".encode("gb18030")
    page = await stranger.send(
        "/terms",
        {"kind": "page", "text": "支持7天无理由退款。\n质保90天。", "kind2": "agreement", "text2": "没有看的字"},
        files=[sent("协议<b>.txt", agreement, "file2")],
    )
    assert page.status == 200
    across, own = page.text.split("两份之间对不上的")[1].split("自己的", 1)
    assert "B 第 3 行" in across
    assert re.search(r"以这一处为准，A 第 2 行</b>：质保90天", across)
    assert "非格式条款" in across
    assert re.search(r"B 第 1 行，K01", own)
    assert "<b>A</b>：商品页，贴的文字" in page.text
    assert "<b>B</b>：用户协议、平台规则，协议&lt;b&gt;.txt" in page.text
    assert "没有看的字" in page.form("/terms").fields["text2"][0]
    # Two that agree say so, and a second document alone is none.
    page = await stranger.send("/terms", {"text": "质保90天。", "text2": "质保90天。"})
    assert "两份之间没有找到对不上的地方" in page.text
    page = await stranger.send("/terms", {"text": "", "text2": "质保90天。"})
    assert (page.status, "先贴文字" in page.text) == (422, True)


async def test_a_file_that_cannot_be_read_says_why_beside_its_field(site: Site) -> None:
    stranger = site.stranger()
    await stranger.get("/terms")
    blank, locked = PdfWriter(), PdfWriter()
    blank.add_blank_page(100, 100)
    locked.add_blank_page(100, 100)
    locked.encrypt("geheim", algorithm="AES-256")
    for writer, words in ((blank, "PDF 里没有文字，多半是扫描的图片"), (locked, "PDF 加了密码")):
        held = io.BytesIO()
        writer.write(held)
        page = await stranger.send("/terms", {"text": "质保90天。"}, files=[sent("a.pdf", held.getvalue())])
        assert (page.status, words in page.text) == (422, True)
        assert 'href="#file"' in page.text
        assert page.form("/terms").fields["text"] == ["质保90天。"]
    page = await stranger.send("/terms", {"text": "好"}, files=[sent("b.txt", b"x" * 2_000_001, "file2")])
    assert (page.status, "文件最大 2 MB" in page.text, 'href="#file2"' in page.text) == (422, True, True)
    # What is too large as a whole is not read, and what is beyond all measure is not even let come.
    for size in (5_000_000, 17_000_000):
        page = await stranger.post("/terms", files=[sent("b.txt", b"x" * size)])
        assert (page.status, "文件最大 2 MB" in page.text) == (422, True)
        assert page.headers["connection"] == "close"
    await stranger.get("/check?lang=en")
    page = await stranger.send("/check?lang=en", files=[sent("a.docx", b"PK\x03\x04")])
    assert (page.status, "could not be read" in page.words) == (422, True)
    page = await stranger.send("/check?lang=en", files=[sent("a.html", "<p>质保90天</p><p>概不退换</p>".encode())])
    assert "「质保90天」" in page.text
    assert "This file was read: a.html" in page.words


async def test_files_are_read_few_at_a_time_and_of_one_network_so_many_an_hour(site: Site) -> None:
    stranger = site.stranger()
    await stranger.get("/terms")
    site.app.readers = Readers(places=1, waiting=0)
    file = sent("a.txt", "质保90天。".encode())
    async with site.app.readers.place("somebody"):
        page = await stranger.send("/terms", files=[file])
        assert (page.status, "过十几秒再交一次" in page.text) == (503, True)
        assert page.headers["retry-after"] == "15"
    other = site.stranger()
    large = {"origin": "https://elsewhere.example"}
    assert (await other.post("/terms", files=[sent("a.txt", b"x" * 300_000)], headers=large)).status == 403
    for _ in range(LIMITS[Act.READ_FILE].hits - 1):
        await other.post("/terms", files=[sent("a.txt", b"x" * 300_000)])
    for body in (file, sent("a.txt", b"x" * 300_000)):
        assert (await stranger.send("/terms", files=[body])).status == 429
    assert (await stranger.send("/terms", {"text": "质保90天。"})).status == 200


async def test_no_page_that_names_a_signed_in_person_is_stored_by_a_cache(site: Site) -> None:
    buyer = await site.person("小买家")
    for path in ("/terms", "/check", "/help-me"):
        assert (await buyer.get(path)).headers["cache-control"] == "no-store", path
