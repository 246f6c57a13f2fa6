"""Documents on paper: what is printed can be read back, whatever people wrote, and twice the same."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader

from kabao.paper import PackPaper, PaperFact, PaperItem, PaperLine, Press, RulingPaper, thumbnail

AT = datetime(2026, 11, 24, 21, 0, tzinfo=UTC)
SHA = "a3" * 32
MARKUP = '#include "/etc/hosts" *粗* $x^2$ #sys.version <a> [b] \\ @ref `raw` // c'
RULING = RulingPaper(
    title="裁决书 7-1H8M",
    facts=[PaperFact("结果", "全额退款 ¥96.50"), PaperFact("裁决摘要", SHA)],
    found="卡密 14:02 拆封，\n14:05 提示已被使用。",
    reasons="商家没有举证。",
    outside="对结果不认可，可以找 12315、消协、仲裁或法院。",
)


@pytest.fixture(scope="module")
def press() -> Press:
    return Press()


def picture(colour: str = "teal", mode: str = "RGB") -> bytes:
    written = io.BytesIO()
    Image.new(mode, (800, 500), colour).save(written, "WEBP")
    return written.getvalue()


def paper(said: str = "这张卡用不了。", lines: int = 3, image: str = "") -> PackPaper:
    return PackPaper(
        title="证据包 7-1H8M",
        subtitle="Steam 充值卡 100 元 的纠纷",
        facts=[PaperFact("订单", "7-1H8K"), PaperFact("商品快照", SHA)],
        parties=[PaperFact("买家", "林*"), PaperFact("商家", "晨光数码（杭州某某有限公司）")],
        verifying=["打开网页 /verify，选这个文件。", "或者运行 python3 -I verify.py pack.zip。"],
        proves="核对能证明没有改动，不能证明内容为真。",
        timeline=[
            PaperLine(at=f"2026-11-24 14:{n:02d}:07", who="买家", text=f"第 {n} 步。", said=said) for n in range(lines)
        ],
        items=[PaperItem(no=1, name="付款截图.png", about="图片 12 KB，买家提交", sha256=SHA, picture=image)],
        ruling=RULING,
        absent=[PaperFact("时间戳", "机构还没有答复")],
    )


def text_of(document: bytes) -> str:
    """Read the text back; where a line breaks is the printer's affair."""
    pages = PdfReader(io.BytesIO(document)).pages
    return "".join("".join(page.extract_text().split()) for page in pages)


def test_everything_that_was_given_is_printed(press: Press) -> None:
    read = text_of(press.pack(paper(), at=AT, pictures={}))
    for part in (
        "证据包7-1H8M",
        "林*",
        "这张卡用不了。",
        "付款截图.png",
        SHA,
        "14:05提示已被使用",
        "机构还没有答复",
        "不能证明内容为真",
    ):
        assert part in read


def test_what_people_wrote_is_never_read_as_markup(press: Press) -> None:
    read = text_of(press.pack(paper(MARKUP), at=AT, pictures={}))
    assert "".join(MARKUP.split()) in read


def test_the_same_value_and_date_give_the_same_bytes(press: Press) -> None:
    small = thumbnail(picture())
    assert small is not None
    made = [
        machine.pack(paper(image="001.jpg"), at=AT, pictures={"001.jpg": small}) for machine in (press, Press(), press)
    ]
    assert made[0] == made[1] == made[2]


def test_the_date_is_the_one_given(press: Press) -> None:
    assert PdfReader(io.BytesIO(press.ruling(RULING, at=AT))).metadata["/CreationDate"] == "D:20261124210000Z"  # type: ignore[index]


def test_only_the_packaged_font_is_used_and_it_is_embedded(press: Press) -> None:
    reader = PdfReader(io.BytesIO(press.pack(paper(), at=AT, pictures={})))
    resources: Any = reader.pages[0]["/Resources"]
    fonts = [font.get_object() for font in resources["/Font"].values()]
    assert fonts
    for font in fonts:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert "NotoSansSC" in font["/BaseFont"]
        assert "/FontFile2" in descriptor or "/FontFile3" in descriptor


def test_long_documents_number_their_pages_and_repeat_the_header(press: Press) -> None:
    document = press.pack(paper(lines=120), at=AT, pictures={})
    pages = ["".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(document)).pages]
    assert len(pages) > 3
    for number, page in enumerate(pages, 1):
        assert f"第{number}页，共{len(pages)}页" in page
        assert "卡保证据包" in page


def test_a_picture_is_printed_beside_its_item(press: Press) -> None:
    small = thumbnail(picture("#00000000", "RGBA"))
    assert small is not None
    pages = PdfReader(io.BytesIO(press.pack(paper(image="001.jpg"), at=AT, pictures={"001.jpg": small}))).pages
    assert sum(len(page.images) for page in pages) == 1


def test_what_is_no_picture_has_no_thumbnail() -> None:
    assert thumbnail(b"not a picture") is None


def test_a_document_can_be_looked_at_page_by_page(press: Press) -> None:
    pages = press.pages(paper(), at=AT, pictures={})
    assert len(pages) > 1
    assert all(page.startswith(b"\x89PNG") for page in pages)
    assert press.pages(RULING, at=AT, pictures={})[0].startswith(b"\x89PNG")
