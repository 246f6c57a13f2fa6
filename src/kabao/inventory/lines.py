"""Reads card keys out of a text or CSV file that arrives in pieces, holding no more than one piece and one line.

Text: one key a line, taken whole. CSV: where the file is named .csv or its first line names a column `key` or 卡密; the
key stands in that column, else in the first; quotes as in RFC 4180, but a key never contains a line break.
"""

import codecs
import csv
import unicodedata
from typing import Final, NamedTuple

from kabao.inventory.model import MAX_KEY_CHARS, BadLine
from kabao.kernel import Refusal, Refused

MAX_LINE_BYTES: Final = 8_192
HEAD_BYTES: Final = 65_536
_BOM: Final = codecs.BOM_UTF8
_KEY_COLUMNS: Final = frozenset({"key", "card_key", "cardkey", "卡密", "卡号卡密", "激活码", "兑换码"})

TOO_LONG: Final = f"超过 {MAX_KEY_CHARS} 个字符"
NOT_TEXT: Final = "含有控制字符，不是文字"
NOT_UTF8: Final = "不是 UTF-8 文字"
BAD_QUOTES: Final = "引号没有成对"
BAD_COLUMNS: Final = "列数不对；含逗号的卡密要加英文双引号"
NO_KEY: Final = "这一行没有卡密"

NOT_UTF8_FILE: Final = "文件不是 UTF-8 编码，没有导入。请用编辑器或表格软件另存为 UTF-8 再导入。"


class Piece(NamedTuple):
    """What a piece of the file held: the keys in order, the bad lines, and how many lines ended in it."""

    keys: list[str]
    bad: list[BadLine]
    lines: int

    def __repr__(self) -> str:
        """Count the keys, never show them."""
        return f"Piece({len(self.keys)} keys, {len(self.bad)} bad, {self.lines} lines)"


def refuse_head(head: bytes, *, is_whole: bool) -> Refused | None:
    """Refuse a file by its beginning: empty, binary, or text in another encoding."""
    text = head.removeprefix(_BOM)
    if is_whole and not text.strip():
        return Refused(Refusal.FILE_EMPTY)
    if b"\0" in text:
        return Refused(Refusal.FILE_TYPE_UNKNOWN)
    if not _decodes(text, "utf-8", is_whole=is_whole) and _decodes(text, "gb18030", is_whole=is_whole):
        return Refused(Refusal.INVALID_FIELDS, {"file": NOT_UTF8_FILE})
    return None


class LineReader:
    """Takes pieces of one file in order; `finish` after the last."""

    def __init__(self, file_name: str) -> None:
        self._is_csv = file_name.casefold().endswith(".csv")
        self._column = 0
        self._columns = 0
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
        for raw in lines:
            line_no += 1
            try:
                text = raw.decode().strip()
            except UnicodeDecodeError:
                bad.append(BadLine(line_no, NOT_UTF8))
                continue
            if not text:
                continue
            if self._columns == 0 and self._is_header(text):
                continue
            if self._is_csv:
                cell = self._cell(text)
                if isinstance(cell, BadLine):
                    bad.append(BadLine(line_no, cell.why))
                    continue
                text = cell
            why = _fault(text)
            if why is None:
                keys.append(text)
            else:
                bad.append(BadLine(line_no, why))
        self._line_no = line_no

    def _is_header(self, text: str) -> bool:
        """Look at the first line that holds anything: it settles the form, and may be a header itself."""
        cells = _cells(text) or [text]
        names = [cell.strip().casefold() for cell in cells]
        self._columns = len(cells)
        for place, name in enumerate(names):
            if name in _KEY_COLUMNS:
                self._is_csv = True
                self._column = place
                return True
        return False

    def _cell(self, text: str) -> str | BadLine:
        cells = _cells(text)
        if cells is None:
            return BadLine(0, BAD_QUOTES)
        if any(cell.strip() for cell in cells[self._columns :]):
            return BadLine(0, BAD_COLUMNS)
        key = cells[self._column].strip() if self._column < len(cells) else ""
        return key or BadLine(0, NO_KEY)


def _cells(text: str) -> list[str] | None:
    if '"' not in text:
        return text.split(",")
    try:
        (cells,) = csv.reader([text], strict=True)
    except (csv.Error, ValueError):
        return None
    return cells


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
