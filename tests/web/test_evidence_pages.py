"""An item's own page, blacking out without a script, links, and the page that records."""

import io

import pytest
from PIL import Image

from browser import Browser
from kabao.evidence import Mark
from kabao.web.evidence import clock_text, marks_of
from media import film, pdf, picture, webm
from pages import Site
from sender import FILM, Sender

Order = tuple[Browser, Browser, str]


@pytest.fixture
async def order(site: Site) -> Order:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    return buyer, merchant, await site.bought(buyer, listing)


async def given(order: Order, name: str, content: bytes) -> str:
    buyer, _, ref = order
    item = await (await Sender.of(buyer, ref)).send(name, content)
    return f"/o/{ref}/evidence/{item['item']}"


async def test_both_sides_see_the_same_facts_and_hints(order: Order) -> None:
    buyer, merchant, _ = order
    exif = Image.Exif()
    exif[0x0110] = "Phone 9"
    path = await given(order, "照片.jpg", picture("JPEG", exif=exif))
    for who in (buyer, merchant):
        page = await who.get(path)
        assert "文件自称由 Phone 9 拍摄。" in page.text
        assert "40 × 30" in page.text
    assert "下载原件" not in (await merchant.get(path)).text
    assert "/mask" not in (await merchant.get(path)).text
    assert "下载原件" in (await buyer.get(path)).text
    assert (await merchant.get(path[:-1] + "0123")).status == 404
    assert (await merchant.get(path + "9" * 5000)).status == 404


async def test_a_film_plays_for_who_gave_it_and_has_facts_for_all(order: Order) -> None:
    buyer, merchant, _ = order
    path = await given(order, "录屏.mp4", FILM)
    mine, theirs = await buyer.get(path), await merchant.get(path)
    assert "<video" in mine.text
    assert "media-src 'self'" in mine.headers["content-security-policy"]
    assert "<video" not in theirs.text
    assert "1:30" in theirs.text
    assert "avc1、mp4a" in theirs.text
    listed = await merchant.get(path.replace("evidence", "files"))
    assert listed.path == path, "what has no preview leads to its page"
    document = await buyer.get(await given(order, "发票.pdf", pdf()))
    assert "没有能安全显示的预览" in document.text


async def test_cells_of_a_picture_are_blacked_out_without_a_script(order: Order) -> None:
    buyer, merchant, ref = order
    written = io.BytesIO()
    Image.new("RGB", (600, 800), "white").save(written, "PNG")
    path = await given(order, "截图.png", written.getvalue())
    await buyer.get(path)
    page = await buyer.send("/mask", {"cell": ["0", "1", "47", "x", "99"]})
    assert "已遮住" in page.text
    shown = (await merchant.client.get(path.replace("evidence", "files"))).content
    preview = Image.open(io.BytesIO(shown)).convert("L")
    assert [preview.getpixel(at) for at in ((50, 50), (150, 50), (550, 750))] == [0, 0, 0]
    assert [preview.getpixel(at) for at in ((250, 50), (50, 150), (450, 750))] == [255, 255, 255]
    assert "在预览里遮过 1 次" in (await merchant.get(path)).text
    assert "有遮盖" in (await merchant.get(f"/o/{ref}")).text
    await buyer.get(path)
    empty = await buyer.send("/mask", {})
    assert (empty.status, "在图片里选要遮住的地方" in empty.text) == (422, True)


async def test_words_of_a_text_are_blacked_out(order: Order) -> None:
    buyer, merchant, _ = order
    path = await given(order, "聊天.txt", "卡密 AAAA-BBBB 已被使用".encode())
    await buyer.get(path)
    assert "没有找到这些字" in (await buyer.send("/mask", {"words": "CCCC"})).text
    assert "已遮住" in (await buyer.send("/mask", {"words": "AAAA-BBBB\n"})).text
    assert "AAAA" not in (await merchant.get(path)).text
    assert "█████████" in (await merchant.get(path)).text


async def test_nobody_blacks_out_what_another_gave(order: Order) -> None:
    buyer, merchant, _ = order
    path = await given(order, "聊天.txt", b"words")
    await merchant.get("/me")
    token = (await merchant.get("/me")).form("/sign-out").fields["csrf_token"][0]
    answer = await merchant.client.post(f"{path}/mask", data={"csrf_token": token, "words": "words"})
    assert answer.status_code == 404
    assert "words" in (await buyer.get(path)).text


async def test_a_link_is_kept_and_never_made_clickable(order: Order) -> None:
    buyer, merchant, ref = order
    await buyer.get(f"/o/{ref}")
    page = await buyer.send("/links", {"link": "https://shop.example/item?id=1&x=<b>"})
    assert "网址已存证" in page.text
    seen = await merchant.get(page.path)
    assert "https://shop.example/item?id=1&amp;x=&lt;b&gt;" in seen.text
    assert not any("shop.example" in href for href in seen.read.links)
    await buyer.get(f"/o/{ref}")
    assert "填一个 http" in (await buyer.send("/links", {"link": "javascript:alert(1)"})).text
    await buyer.get(f"/o/{ref}")
    assert "https://www.shop.example/item" in (await buyer.send("/links", {"link": "www.shop.example/item"})).words


async def test_a_recordings_receipt_names_its_chain_and_gaps(order: Order, site: Site) -> None:
    buyer, merchant, ref = order
    sender = await Sender.of(buyer, ref)
    upload = (await sender.begin("录屏", 0, "recording")).json()["upload"]
    content = webm(live=True)
    first = (await sender.put(upload, 1, content[:200])).json()
    last = (await sender.put(upload, 2, content[200:])).json()
    item = (await sender.finish(upload, 2)).json()
    page = await merchant.get(f"/o/{ref}/evidence/{item['item']}")
    assert last["head"] in page.text
    assert first["sha256"] in page.text
    assert "共 2 段" in page.text
    assert "没有超过 15 秒的间隔" in page.text
    assert "现场录制" in (await buyer.get(f"/o/{ref}")).text
    support = await site.support()
    assert (await support.client.get(f"/o/{ref}/evidence/{item['item']}")).status_code == 404


async def test_only_the_recording_page_may_ask_for_a_camera(order: Order) -> None:
    buyer, _, ref = order
    page = await buyer.get(f"/o/{ref}/record")
    assert "camera=(self)" in page.headers["permissions-policy"]
    assert "camera=()" in (await buyer.get(f"/o/{ref}")).headers["permissions-policy"]
    assert (await buyer.get("/o/7-ABC/record")).status == 404


def test_marks_are_read_with_limits() -> None:
    assert marks_of(["0", "0"], []) == [Mark(left=0, top=0, right=167, bottom=125)]
    assert marks_of(["47"], []) == [Mark(left=833, top=875, right=1000, bottom=1000)]
    assert marks_of([], ["1,2,3,4", "1,2,3", "-1,2,3,4", "a", "٣,2,3,4"]) == [Mark(left=1, top=2, right=3, bottom=4)]
    assert len(marks_of([], ["1,2,3,4"] * 500)) == 100


def test_a_length_of_time_is_written_as_a_clock() -> None:
    assert [clock_text(millis) for millis in (999, 90_500, 3_725_000)] == ["0:00", "1:30", "1:02:05"]


async def test_an_item_in_the_middle_of_an_upload_is_no_item(order: Order) -> None:
    buyer, _, ref = order
    sender = await Sender.of(buyer, ref)
    upload = (await sender.begin("录屏.mp4", len(film()))).json()["upload"]
    assert (await buyer.get(f"/o/{ref}/evidence/{upload}")).status == 404
