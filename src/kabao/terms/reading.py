"""Read a file as text: plain, Markdown, HTML, PDF, DOCX; in UTF-8, GBK, Big5 or UTF-16; within limits, and safely.

Nothing is fetched, no entity of a document is expanded, and neither an archive nor a PDF is read on beyond the limit.
What a stranger uploads is read by ``apart``.
"""

import io
import logging
import re
import zipfile
from typing import IO, Final, NamedTuple
from xml.parsers import expat

from kabao.terms.markup import blanked

LARGEST_FILE: Final = 20_000_000
"""Bytes of a file that is read at all."""
LARGEST_TEXT: Final = 3_000_000
"""Characters of text that are checked at once; a long agreement has 50,000."""
MOST_PAGES: Final = 2_000
DOCX_TEXT: Final = "word/document.xml"
W: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main "
OPENING: Final = {W + "tab": " ", W + "br": "\n", W + "cr": "\n"}
CLOSING: Final = {W + "p": "\n", W + "tr": "\n"}
LARGEST_UNPACKED: Final = 30_000_000
"""Bytes of a Word document's text part, whose marks take up more than its words."""
PIECE: Final = 1 << 16
DEEPEST: Final = 200
TOO_LONG: Final = f"文字超过 {LARGEST_TEXT} 个，最多检查这么多；请分成几份再检查"
LOOKS_HTML: Final = re.compile(rb"^\s*(?:<!doctype\s+html|<html|<head|<body|<div|<p[\s>]|<!--)", re.IGNORECASE)
TAKEN_AT_ITS_WORD: Final = frozenset(
    {"utf-8", "utf8", "gb2312", "gbk", "gb18030", "big5", "big5-hkscs", "ascii", "us-ascii", "iso-8859-1"}
)
"""Encodings a page may name for itself; of others, which can be any codec of Python, what fits is found."""
CHARSET: Final = re.compile(rb"charset\s*=\s*[\"']?\s*([a-zA-Z0-9_-]{2,20})", re.IGNORECASE)
BYTE_ORDER_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class UnreadableError(Exception):
    """The file cannot be checked; says why in a sentence."""


class Content(NamedTuple):
    """A file's text; of a text file, HTML too, each character stands at its own place."""

    text: str
    form: str
    wrapped: bool = False


def read_file(content: bytes, name: str = "") -> Content:
    """Return the text of a file by what it holds; raises UnreadableError."""
    measure(len(content))
    if not content.strip():
        raise UnreadableError("文件是空的")
    suffix = name.lower().rpartition(".")[2]
    if content[:1024].lstrip().startswith(b"%PDF-"):
        found = Content(_pdf(content), "pdf", wrapped=True)
    elif content.startswith(b"PK\x03\x04"):
        found = Content(_docx(content), "docx")
    elif content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise UnreadableError("这是旧的 .doc 或加了密码的 Office 文件；请另存为没有密码的 .docx")
    else:
        text = decode(content)
        is_html = suffix in {"html", "htm", "xhtml"} or bool(LOOKS_HTML.match(content[:512].lstrip(b"\xef\xbb\xbf")))
        found = Content(blanked(text), "html") if is_html else Content(text, "text", wrapped=True)
    if len(found.text) > LARGEST_TEXT:
        raise UnreadableError(TOO_LONG)
    if not found.text.strip("\x00\x0b\x1c \t\r\n"):
        raise UnreadableError("文件里没有文字")
    return found


def measure(size: int) -> None:
    """Refuse a file of so many bytes where that is too much; raises UnreadableError."""
    if size > LARGEST_FILE:
        raise UnreadableError(
            f"文件有 {size / 1_000_000:.0f} MB，最多读 {LARGEST_FILE // 1_000_000} MB；请分成几份再检查"
        )


def decode(content: bytes) -> str:
    """Return the text of bytes: by their mark, by what they say of themselves, or by what fits."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _decoded(content, encoding)
    if guess := _without_mark(content):
        return _decoded(content, guess)
    said = CHARSET.search(content[:2048])
    named = [said[1].decode("ascii").lower()] if said else []
    for encoding in (*(one for one in named if one in TAKEN_AT_ITS_WORD), "utf-8", "gb18030", "big5"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "gb18030" or _is_chinese(text):
            return text
    try:
        return content.decode("big5")
    except UnicodeDecodeError:
        raise UnreadableError("认不出文件的编码；请另存为 UTF-8") from None


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise UnreadableError(f"文件自称是 {encoding}，但有些字节不是；请另存为 UTF-8") from None


def _without_mark(content: bytes) -> str:
    """Return which UTF-16 a text without a mark is in, by where its zero bytes or line ends stand."""
    sample = content[:4096]
    if len(sample) % 2 == 0 and b"\0" in sample:
        even, odd = sample[::2].count(0), sample[1::2].count(0)
        return "utf-16-le" if odd > even else "utf-16-be"
    if b"\0" in sample:
        raise UnreadableError("这不是文字文件")
    return ""


def _is_chinese(text: str) -> bool:
    """Whether most of what is not ASCII are characters in use, as in a text that was read in its own encoding."""
    others = [character for character in text[:20_000] if character > "\x7f"]
    usual = sum(
        "\u4e00" <= character <= "\u9fff" or character in "，。；：！？、（）“”‘’《》【】—…·￥" for character in others
    )
    return usual * 10 >= len(others) * 8


def _docx(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _document_of(archive)
    except KeyError:
        raise UnreadableError("这是压缩包，不是 Word 文档；请解开后检查里面的文件") from None
    except (UnreadableError, MemoryError):
        raise
    except Exception as error:
        # A damaged archive ends in whatever its packing's library raises: zlib, lzma, bz2, an index, a struct.
        raise UnreadableError("Word 文档已损坏") from error


def _document_of(archive: zipfile.ZipFile) -> str:
    entry = archive.getinfo(DOCX_TEXT)
    if entry.flag_bits & 1:
        raise UnreadableError("文件加了密码；请去掉密码再检查")
    with archive.open(entry) as opened:
        return _docx_text(opened)


class _Paragraphs:
    """Gathers the text of a document's paragraphs as its marks go by, no more than is checked."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.length = 0
        self.within: list[str] = []

    def start(self, name: str, _: dict[str, str]) -> None:
        self.within.append(name)
        if len(self.within) > DEEPEST:
            raise UnreadableError("Word 文档已损坏")
        self._add(OPENING.get(name, ""))

    def end(self, name: str) -> None:
        self.within.pop()
        self._add(CLOSING.get(name, ""))

    def data(self, text: str) -> None:
        if self.within and self.within[-1] == W + "t":
            self._add(text)

    def _add(self, text: str) -> None:
        self.length += len(text)
        if self.length > LARGEST_TEXT:
            raise UnreadableError(TOO_LONG)
        if text:
            self.pieces.append(text)


def _docx_text(opened: IO[bytes]) -> str:
    """Return the paragraphs of a document; a document that declares entities is refused, since none needs them."""
    paragraphs = _Paragraphs()
    parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(*_: object) -> None:
        raise UnreadableError("Word 文档里声明了实体，不检查")

    parser.StartElementHandler = paragraphs.start
    parser.EndElementHandler = paragraphs.end
    parser.CharacterDataHandler = paragraphs.data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    unpacked = 0
    try:
        while piece := opened.read(PIECE):
            unpacked += len(piece)
            if unpacked > LARGEST_UNPACKED:
                raise UnreadableError(
                    f"文件解开后超过 {LARGEST_UNPACKED // 1_000_000} MB，不检查；请另存为纯文字再检查"
                )
            parser.Parse(piece, False)  # noqa: FBT003  expat's own signature
        parser.Parse(b"", True)  # noqa: FBT003
    except expat.ExpatError as error:
        raise UnreadableError("Word 文档已损坏") from error
    return "".join(paragraphs.pieces)


def _pdf(content: bytes) -> str:
    try:
        return _pdf_text(content)
    except (UnreadableError, MemoryError):
        raise
    except Exception as error:
        # The library reads on through what is damaged until anything at all is raised: an index, a zero, a codec.
        raise UnreadableError("PDF 已损坏，读不下去") from error


def _pdf_text(content: bytes) -> str:
    from pypdf import PdfReader  # noqa: PLC0415  half a second to load, and most files are no PDF

    # What is odd about a file is told in one sentence; the library would also print each oddity.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted and not reader.decrypt(""):
        raise UnreadableError("PDF 加了密码；请去掉密码再检查")
    count = len(reader.pages)
    if count > MOST_PAGES:
        raise UnreadableError(f"PDF 有 {count} 页，最多读 {MOST_PAGES} 页；请分成几份再检查")
    pages: list[str] = []
    length = 0
    for page in reader.pages:
        pages.append(page.extract_text())
        length += len(pages[-1])
        if length > LARGEST_TEXT:
            raise UnreadableError(TOO_LONG)
    text = "\n".join(pages)
    if not text.strip():
        raise UnreadableError("PDF 里没有文字，多半是扫描的图片；请先做文字识别，或者贴文字")
    return text
