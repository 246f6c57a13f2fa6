"""Files as people have them: encodings, pages, Word, PDF; and what is refused, kindly."""

import asyncio
import io
import subprocess
import sys
import zipfile

import msgspec
import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from kabao.terms import Document, Kind, check
from kabao.terms.apart import (
    DEFAULTS,
    LONGEST_TEXT,
    MOST_FOUND,
    TOO_MUCH,
    Answer,
    BusyError,
    Checked,
    Limits,
    Part,
    Readers,
    UnreadablePartError,
    answered,
    checked,
    ending,
    heard,
    is_between,
)
from kabao.terms.lexicon import tokenise
from kabao.terms.normal import normalise
from kabao.terms.reading import DOCX_TEXT, LARGEST_TEXT, UnreadableError, read_file

CLAUSE = "虚拟商品一经售出，概不退换"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def found(content: bytes, name: str = "a.txt") -> list[str]:
    read = read_file(content, name)
    return [finding.id for finding in check([Document(read.text, wrapped=read.wrapped)], clause=True).findings]


def refused(content: bytes, name: str = "") -> str:
    with pytest.raises(UnreadableError) as raised:
        read_file(content, name)
    return str(raised.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_of_the_simplified_world_are_read(encoding: str) -> None:
    assert found((CLAUSE + "。\n付款后10分钟内发货。\n").encode(encoding)) == ["K01"]


def test_big5_is_read_as_traditional_characters() -> None:
    assert found("虛擬商品售出，概不退換，最終解釋權歸本店所有。".encode("big5")) == ["K01", "K05"]


def test_a_page_says_its_encoding() -> None:
    page = f'<html><head><meta charset="gbk"></head><body><p>{CLAUSE}</p></body></html>'
    assert found(page.encode("gbk"), "a.html") == ["K01"]
    # Not every codec there is: some only fail, and some make what no text holds.
    for codec in ("undefined", "unicode_escape", "punycode", "idna", "nothing"):
        assert found(page.replace('"gbk"', f'"{codec}"').encode("gbk"), "a.html") == ["K01"]


def test_words_of_a_page_keep_their_places_in_the_file() -> None:
    page = (
        "<!doctype html>\n<html><head><title>退款</title><script>if (a<b) { '概不退款' }</script></head>\n"
        "<body><h1>须知</h1>\n<p>虚拟商品<b>一经</b>售出，\n概<i>不退</i>&#25442;&nbsp;</p><div>1 < 2 & 3</div>"
        "<!-- kabao: allow K05 示例 --><p>最终解释权归本店</p><br/></body></html>"
    )
    read = read_file(page.encode(), "x")
    assert len(read.text) == len(page)
    report = check([Document(read.text)], clause=True)
    (finding,) = report.findings
    assert page[finding.start : finding.end].startswith("虚拟商品<b>一经")
    assert (finding.id, finding.line, finding.words) == ("K01", 4, "虚拟商品一经售出， 概不退换")
    assert [waived.finding.id for waived in report.waived] == ["K05"]


def test_what_a_page_does_not_show_ends_where_it_ends_whatever_letters_stand_before() -> None:
    """A capital İ has two small letters, so that places counted in small letters would lie behind."""
    page = "<html><p>" + "İ" * 40 + "<script>x</SCRIPT>虚拟商品一经售出，概不退换</p></html>"
    assert found(page.encode(), "a.html") == ["K01"]


def test_a_page_of_opening_marks_is_read_in_step_with_its_length() -> None:
    """Were each mark looked up to the end of the page, this would take minutes."""
    page = "<html>" + "< " * 1_000_000 + ">概不退款"
    assert len(read_file(page.encode(), "a.html").text) == len(page)


@pytest.mark.parametrize("page", ["<p>x<", "<p>x<!-- ", "<p>x<script>y", "<p", "<p>a<1>b</p>", "<p>x<!-- kabao: -->"])
def test_a_broken_page_is_read_as_far_as_it_goes(page: str) -> None:
    assert len(read_file(f"<html>概不退款{page}".encode(), "a.html").text) == len(f"<html>概不退款{page}")


def docx(xml: str, *, name: str = DOCX_TEXT) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, xml)
    return held.getvalue()


def test_a_word_document_is_read_by_paragraphs() -> None:
    xml = (
        f"<w:document {W}><w:body><w:p><w:r><w:t>虚拟商品一经</w:t></w:r><w:r><w:t>售出，概不退换</w:t><w:tab/></w:r>"
        "</w:p><w:p><w:r><w:t>谢谢</w:t><w:br/></w:r></w:p></w:body></w:document>"
    )
    assert read_file(docx(xml)).text == CLAUSE + " \n谢谢\n\n"
    assert found(docx(xml)) == ["K01"]


def test_a_word_document_that_would_harm_is_refused() -> None:
    bomb = "<!DOCTYPE a [<!ENTITY a 'x'><!ENTITY b '&a;&a;&a;'>]>" + f"<w:document {W}>&b;</w:document>"
    assert "实体" in refused(docx(bomb))
    assert "30 MB" in refused(docx(f"<w:document {W}>" + "x" * 30_000_001))
    assert str(LARGEST_TEXT) in refused(docx(f"<w:document {W}>" + "<w:t>" + "x" * (LARGEST_TEXT + 1)))
    assert "损坏" in refused(docx(f"<w:document {W}>" + "<w:p>" * 300))
    assert "损坏" in refused(docx("<w:document"))
    assert "不是 Word" in refused(docx("x", name="a.txt"))
    assert "损坏" in refused(b"PK\x03\x04 nothing more")
    whole = docx(f"<w:document {W}/>")
    for method in (9, 12, 14, 93, 99):  # methods of packing by their numbers: their libraries raise what they like
        other = whole.replace(b"\x08\x00", method.to_bytes(2, "little"))
        assert "损坏" in refused(other)
    locked = bytearray(docx(f"<w:document {W}/>"))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert "密码" in refused(bytes(locked))
    assert ".doc" in refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 rest")


def pdf(words: str = "", *, pages: int = 1) -> PdfWriter:
    writer = PdfWriter()
    page = writer.add_blank_page(300, 300)
    if words:
        font = DictionaryObject(
            {NameObject("/Type"): NameObject("/Font"), NameObject("/Subtype"): NameObject("/Type1"),
             NameObject("/BaseFont"): NameObject("/Helvetica")}
        )  # fmt: skip
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F"): font})}
        )
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F 12 Tf 20 200 Td ({words}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
    for _ in range(1, pages):
        writer.add_page(page)
    return writer


def written(writer: PdfWriter) -> bytes:
    held = io.BytesIO()
    writer.write(held)
    return held.getvalue()


def test_a_pdf_is_read_and_one_without_text_or_with_a_password_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    content = written(pdf("All sales are final. No refunds under any circumstances."))
    assert "No refunds" in read_file(content).text
    assert found(content) == ["K01", "K01"]
    assert "没有文字" in refused(written(pdf()))
    writer = pdf("x")
    writer.encrypt("geheim", algorithm="AES-256")
    assert "密码" in refused(written(writer))
    assert "损坏" in refused(b"%PDF-1.7\nnothing")
    assert not capfd.readouterr().err
    many = PdfWriter()
    for _ in range(2001):
        many.add_blank_page(10, 10)
    assert "2001 页" in refused(written(many))
    assert len(PdfReader(io.BytesIO(content)).pages) == 1


def test_a_pdf_is_read_no_further_than_its_text_is_checked() -> None:
    """Each page alone is short enough; the last of them are blank and would be found empty."""
    writer = pdf("x" * (LARGEST_TEXT // 4), pages=5)
    writer.add_blank_page(10, 10)
    assert str(LARGEST_TEXT) in refused(written(writer))


def apart(*parts: Part, limits: Limits = DEFAULTS) -> Checked | str:
    try:
        return asyncio.run(Readers().check(parts, "a", limits))
    except UnreadablePartError as error:
        return f"refused {error.document}: {error}"


def file(content: bytes, form: str = "") -> Part:
    return Part(Kind.AGREEMENT, content=content, form=form)


def test_uploads_are_read_and_checked_in_a_process_of_its_own_that_ends_at_its_limits() -> None:
    two = apart(file(CLAUSE.encode("gbk"), "txt"), Part(Kind.CHAT, "支持7天无理由退款。"))
    assert isinstance(two, Checked)
    assert two.texts == (CLAUSE, "支持7天无理由退款。")
    [against] = [one for one in two.report.findings if is_between(one)]
    assert against is two.report.findings[0]
    assert (against.document, against.other[0].document) == (0, 1)
    assert apart(Part(Kind.PAGE, "好"), file(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 rest")) == (
        "refused 1: 这是旧的 .doc 或加了密码的 Office 文件；请另存为没有密码的 .docx"
    )
    writer = pdf("x) Tj " + "1 0 0 1 0 0 Tm (y) Tj " * 500_000 + "(z")
    assert apart(file(written(writer)), limits=Limits(seconds=1)) == f"refused None: {TOO_MUCH}"
    assert apart(file(written(writer)), limits=Limits(memory=180_000_000)) == f"refused 0: {TOO_MUCH}"


def test_nothing_that_wants_threads_is_loaded_once_the_process_may_start_none() -> None:
    """Whoever is not root is held to that limit: numpy loaded within it ends the process, whatever the file."""
    question = msgspec.msgpack.encode([file(CLAUSE.encode(), "txt")])
    script = (
        "import sys; from kabao.terms import apart; known = set(sys.modules); "
        "apart.answered(bytes.fromhex(sys.argv[1])); print(*{name.split('.')[0] for name in set(sys.modules) - known})"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", script, question.hex()], capture_output=True, text=True, check=True
    )
    assert "numpy" not in ran.stdout.split()


def test_what_a_process_says_is_believed_only_as_an_answer() -> None:
    said = heard(answered(msgspec.msgpack.encode([file(b"<p>a", "html"), file("概不退款，".encode() * 900)])), 2)
    assert said.texts[0] == "\x0b\0\0a"
    assert said.found > len(said.report.findings) == MOST_FOUND
    for part, why in ((file(b"\n"), "空"), (Part(Kind.PAGE, "x" * (LONGEST_TEXT + 1)), "最多看 200000 个")):
        with pytest.raises(UnreadablePartError, match=why):
            heard(answered(msgspec.msgpack.encode([part])), 1)
    short = msgspec.msgpack.encode(Answer(checked([Document("好")])))
    for nonsense in (b"", b"\x90", b"\x81", msgspec.msgpack.encode(Answer()), short):
        with pytest.raises(UnreadablePartError, match="上限"):
            heard(nonsense, 2)
    assert [ending(name) for name in ("a.PDF", "x/../b.html", "c", "d.p\nq", "-e.docx")] == [
        "pdf",
        "html",
        "",
        "",
        "docx",
    ]


async def test_few_files_are_read_at_a_time_some_more_wait_a_little_and_the_rest_come_back_later() -> None:
    readers = Readers(places=1, waiting=1, patience=0.1)
    async with readers.place("a"):
        waits = asyncio.create_task(readers.check([file(b"x")], "b"))
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await readers.check([file(b"x")], "c")
        assert not waits.done()
        with pytest.raises(BusyError):
            await waits
        waits = asyncio.create_task(readers.check([Part(Kind.PAGE, "好")], "b"))
        await asyncio.sleep(0)
    assert (await waits).texts == ("好",)


async def test_nobody_takes_two_places_by_sending_files_side_by_side() -> None:
    readers = Readers(places=2, patience=0.1)
    async with readers.place("a"):
        with pytest.raises(BusyError):
            await readers.check([Part(Kind.PAGE, "好")], "a")
        assert (await readers.check([Part(Kind.PAGE, "好")], "b")).texts == ("好",)
    assert (await readers.check([Part(Kind.PAGE, "好")], "a")).texts == ("好",)


def test_what_is_too_large_empty_or_no_text_is_refused_with_the_limit() -> None:
    assert "最多读 20 MB" in refused(b"x" * 50_000_000)
    assert str(LARGEST_TEXT) in refused(b"x " * (LARGEST_TEXT // 2 + 1))
    assert "空" in refused(b" \n")
    assert "没有文字" in refused(b"<html><p></p></html>")
    assert "不是文字" in refused(b"a\x00b")
    assert "编码" in refused(b"\xff\xfa\xff\xff\x81")
    assert "utf-16" in refused(b"\xff\xfe\x00\xd8a\x00")


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("卡出不退 别问 问就是没得退", "卡出不退,别问,问就是没得退"),
        ("概 不 退 款", "概不退款"),
        ("售后 服务", "售后服务"),
        ("概=不=退=款", "概不退款"),
        ("没反馈=默认没毛病", "没反馈=默认没毛病"),
    ],
)
def test_a_space_or_sign_of_a_chat_parts_what_it_parts_and_one_within_words_does_not(written: str, plain: str) -> None:
    assert normalise(written).plain == plain


def test_a_fine_without_its_unit_is_money() -> None:
    text = "恶意退款的罚五百，退一赔三"
    units = [token.quantity.unit for token in tokenise(text, 0, len(text)) if token.quantity]
    assert units == ["MONEY", "MULTIPLE"]
