"""Reads card keys out of a text or CSV file that arrives in pieces, holding no more than one piece and one line.

Text: one key a line, taken whole. CSV: where the file is named .csv or its first line names known columns (columns.py);
quotes as in RFC 4180, but a key never contains a line break.
"""

import codecs
import re
import unicodedata
from typing import Final, NamedTuple

from kabao.inventory.columns import Layout, cells_of, joined, layout_of
from kabao.inventory.model import MAX_KEY_CHARS, BadLine
from kabao.kernel import Refusal, Refused

MAX_LINE_BYTES: Final = 8_192
HEAD_BYTES: Final = 65_536
_BOM: Final = codecs.BOM_UTF8
_UTF16_BOMS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ROUNDED: Final = re.compile(r"\d(\.\d+)?[eE]\+\d{2,}")

TOO_LONG: Final = f"超过 {MAX_KEY_CHARS} 个字符"
NOT_TEXT: Final = "含有控制字符，不是文字"
NOT_UTF8: Final = "不是 UTF-8 文字"
BAD_QUOTES: Final = "引号没有成对"
BAD_COLUMNS: Final = "列数不对；含逗号的卡密要加英文双引号"
NO_KEY: Final = "这一行没有卡密"
HALF_A_KEY: Final = "这一行少了一半：卡号和密码要都有"
ROUNDED: Final = "号码被表格软件改成了科学计数，原来的数字不在了；把那一列设成文本格式再导出"

NOT_UTF8_FILE: Final = "文件不是 UTF-8 编码，没有导入。请用编辑器或表格软件另存为 UTF-8 再导入。"
EMPTY_FILE: Final = "文件是空的，没有导入。"


class Piece(NamedTuple):
    """What a piece of the file held: the keys in order, the bad lines, and how many lines ended in it."""

    keys: list[str]
    bad: list[BadLine]
    lines: int

    def __repr__(self) -> str:
        """Count the keys, never show them."""
        return f"Piece({len(self.keys)} keys, {len(self.bad)} bad, {self.lines} lines)"


def judge_head(head: bytes, file_name: str, *, is_whole: bool) -> Layout | Refused:
    """Settle from a file's beginning how it is read.

    FILE_EMPTY, FILE_NOT_TEXT, INVALID_FIELDS (text in another encoding), COLUMNS_UNKNOWN.
    """
    text = head.removeprefix(_BOM)
    if is_whole and not text.strip():
        return Refused(Refusal.FILE_EMPTY, {"file": EMPTY_FILE})
    if head.startswith(_UTF16_BOMS):
        return Refused(Refusal.INVALID_FIELDS, {"file": NOT_UTF8_FILE})
    if b"\0" in text:
        return Refused(Refusal.FILE_NOT_TEXT)
    if not _decodes(text, "utf-8", is_whole=is_whole) and _decodes(text, "gb18030", is_whole=is_whole):
        return Refused(Refusal.INVALID_FIELDS, {"file": NOT_UTF8_FILE})
    lines = text.split(b"\n")
    if not is_whole:
        lines.pop()
    is_csv = file_name.casefold().endswith(".csv")
    first = next(filter(None, map(_first_text, lines)), "")
    return layout_of(first, is_csv=is_csv)


class LineReader:
    """Takes pieces of one file in order; `finish` after the last. `layout` is what its beginning settled."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._awaits_header = layout.has_header
        self._line_no = 0
        self._tail = b""
        self._is_first_piece = True
        self._is_skipping = False

    def __repr__(self) -> str:
        """Tell the place, never the text at hand."""
        return f"LineReader(line {self._line_no})"

    def feed(self, piece: bytes) -> Piece:
        """Read the lines that end in a piece."""
        if self._is_first_piece:
            piece = piece.removeprefix(_BOM)
            self._is_first_piece = False
        if self._is_skipping:
            _, newline, piece = piece.partition(b"\n")
            if not newline:
                return Piece([], [], 0)
            self._is_skipping = False
        lines = (self._tail + piece).split(b"\n")
        self._tail = lines.pop()
        keys: list[str] = []
        bad: list[BadLine] = []
        before = self._line_no
        self._read(lines, keys, bad)
        if len(self._tail) > MAX_LINE_BYTES:
            self._line_no += 1
            bad.append(BadLine(self._line_no, TOO_LONG))
            self._tail = b""
            self._is_skipping = True
        return Piece(keys, bad, self._line_no - before)

    def finish(self) -> Piece:
        """Read the last line where the file does not end in a line break."""
        rest, self._tail = self._tail, b""
        keys: list[str] = []
        bad: list[BadLine] = []
        if rest:
            self._read([rest], keys, bad)
        return Piece(keys, bad, 1 if rest else 0)

    def _read(self, lines: list[bytes], keys: list[str], bad: list[BadLine]) -> None:
        line_no = self._line_no
        is_whole_line = not self._layout.delimiter
        for raw in lines:
            line_no += 1
            if self._awaits_header and _first_text(raw):
                self._awaits_header = False
                continue
            try:
                text = raw.decode().strip()
            except UnicodeDecodeError:
                bad.append(BadLine(line_no, NOT_UTF8))
                continue
            if not text:
                continue
            if not is_whole_line:
                key = self._key(text)
                if isinstance(key, BadLine):
                    bad.append(BadLine(line_no, key.why))
                    continue
                text = key
            why = _fault(text)
            if why is None:
                keys.append(text)
            else:
                bad.append(BadLine(line_no, why))
        self._line_no = line_no

    def _key(self, text: str) -> str | BadLine:
        layout = self._layout
        cells = cells_of(text, layout.delimiter)
        if cells is None:
            return BadLine(0, BAD_QUOTES)
        if any(cell.strip() for cell in cells[layout.width :]):
            return BadLine(0, BAD_COLUMNS)
        values = [cells[column.column_no - 1].strip() for column in layout.columns if column.column_no <= len(cells)]
        if not any(values):
            return BadLine(0, NO_KEY)
        if not all(values) or len(values) < len(layout.columns):
            return BadLine(0, HALF_A_KEY)
        if any(map(_ROUNDED.fullmatch, values)):
            return BadLine(0, ROUNDED)
        return joined(layout, values)


def _first_text(line: bytes) -> str:
    """Return a line's text where it may be the first one that holds anything, else nothing.

    A line that is longer than any key is told by number, wherever a piece ends in it, and so is never the header.
    """
    if len(line) > MAX_LINE_BYTES:
        return ""
    try:
        return line.decode().strip()
    except UnicodeDecodeError:
        return ""


def _fault(key: str) -> str | None:
    if len(key) > MAX_KEY_CHARS:
        return TOO_LONG
    if not key.isprintable() and any(unicodedata.category(letter) == "Cc" and letter != "\t" for letter in key):
        return NOT_TEXT
    return None


def _decodes(text: bytes, encoding: str, *, is_whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(text, final=is_whole)
    except UnicodeDecodeError:
        return False
    return True
