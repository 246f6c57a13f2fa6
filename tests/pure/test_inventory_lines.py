from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kabao.inventory import BadLine, StockCounts
from kabao.inventory.columns import Layout
from kabao.inventory.lines import (
    BAD_COLUMNS,
    BAD_QUOTES,
    HALF_A_KEY,
    HEAD_BYTES,
    MAX_LINE_BYTES,
    NO_KEY,
    NOT_TEXT,
    NOT_UTF8,
    ROUNDED,
    TOO_LONG,
    LineReader,
    judge_head,
)
from kabao.kernel import Refusal, Refused


def cut(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def read(content: bytes, name: str = "keys.txt", size: int = 7) -> tuple[list[str], list[BadLine], int]:
    layout = judge_head(content, name, is_whole=True)
    reader = LineReader(Layout() if isinstance(layout, Refused) else layout)
    parts = [reader.feed(piece) for piece in cut(content, size)] + [reader.finish()]
    return (
        [key for part in parts for key in part.keys],
        [bad for part in parts for bad in part.bad],
        sum(part.lines for part in parts),
    )


def test_a_text_file_holds_one_key_a_line() -> None:
    assert read(b'A-1\r\n\n  B 2 \t\nC,"3"') == (["A-1", "B 2", 'C,"3"'], [], 4)


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert read(b"\xef\xbb\xbfA-1\nB-2\n", size=9_999) == (["A-1", "B-2"], [], 2)


def test_a_csv_file_gives_the_column_named_key() -> None:
    content = '编号,卡密,面值\r\n1,"key,with comma",100\r\n2,"say ""hi""",100\r\n\r\n3,plain,100\r\n'.encode()
    assert read(content, "x.csv") == (["key,with comma", 'say "hi"', "plain"], [], 5)
    assert read(content, "x.txt") == read(content, "x.csv")
    assert read(b"Key\nA\nB\n", "x.txt") == (["A", "B"], [], 3)


def test_a_csv_file_of_one_column_needs_no_header() -> None:
    content = b'"A,1"\nB\nC,\nD,1\n'
    assert read(content, "x.CSV") == (["A,1", "B", "C"], [BadLine(4, BAD_COLUMNS)], 4)


def test_a_number_and_its_password_are_one_key() -> None:
    """A merchant's file of 卡号 and 密码 once lost the passwords and sold its header."""
    content = "序号,卡号,密码\r\n1,AAA001,PW001\r\n2, AAA002 ,\n3\n,,\n4,6.22202E+15,PW4\n".encode()
    keys, bad, lines = read(content, "x.csv")
    assert keys == ["卡号 AAA001 密码 PW001"]
    assert bad == [BadLine(3, HALF_A_KEY), BadLine(4, NO_KEY), BadLine(5, NO_KEY), BadLine(6, ROUNDED)]
    assert lines == 6


@pytest.mark.parametrize("between", ["\t", ";", "，", "----", "|", "  "])
def test_a_headed_list_may_be_cut_in_the_usual_ways(between: str) -> None:
    content = f"账号{between}密码\nuser{between}pass\n".encode()
    assert read(content, "x.txt") == (["账号 user 密码 pass"], [], 2)


@pytest.mark.parametrize("line", ["AAA001,PW001", "AAA001----PW001", "AAA001 PW001", "卡号：AAA001 密码：PW001"])
def test_a_text_file_keeps_two_parts_on_a_line_as_they_are(line: str) -> None:
    assert read(f"{line}\n".encode(), "x.txt")[0] == [line]


def test_a_header_is_found_after_blank_and_broken_lines_and_skipped_once() -> None:
    broken = b"\xff\xff\n" + b"k" * (MAX_LINE_BYTES + 1) + b"\n\n"
    keys, bad, lines = read(broken + b"key\nkey\nA\n", "x.csv", size=4_096)
    assert keys == ["key", "A"]
    assert [line.line_no for line in bad] == [1, 2]
    assert lines == 6


def test_a_key_with_a_comma_is_whole_in_text_and_never_cut_in_csv() -> None:
    assert read(b"user,secret\n", "x.txt")[0] == ["user,secret"]
    assert read(b"key\nuser,secret\n", "x.csv") == ([], [BadLine(2, BAD_COLUMNS)], 2)


def test_bad_lines_are_told_by_number() -> None:
    content = b"good\nb\x01d\n\xff\xfe\nx\ty\n" + b"k" * 501 + b"\n" + b"k" * 500 + b"\nlast"
    keys, bad, lines = read(content, size=64)
    assert keys == ["good", "x\ty", "k" * 500, "last"]
    assert bad == [BadLine(2, NOT_TEXT), BadLine(3, NOT_UTF8), BadLine(5, TOO_LONG)]
    assert lines == 7


def test_bad_csv_lines_are_told_by_number() -> None:
    content = b'n,key\n1,"open\n2,A\n3,\n4\n5,B,extra\n6,C\n'
    assert read(content, "x.csv") == (
        ["A", "C"],
        [BadLine(2, BAD_QUOTES), BadLine(4, NO_KEY), BadLine(5, NO_KEY), BadLine(6, BAD_COLUMNS)],
        7,
    )


def test_a_first_csv_line_with_a_lone_quote_is_bad_too() -> None:
    assert read(b'"open\n"A"\n', "x.csv") == (["A"], [BadLine(1, BAD_QUOTES)], 2)


def test_a_line_of_ten_megabytes_is_skipped_and_never_held() -> None:
    reader = LineReader(Layout())
    parts = [reader.feed(b"first\n")]
    for _ in range(160):
        parts.append(reader.feed(b"k" * 65_536))
        assert len(reader._tail) <= MAX_LINE_BYTES
    parts += [reader.feed(b"kk\nlast\n"), reader.finish()]
    assert [key for part in parts for key in part.keys] == ["first", "last"]
    assert [bad for part in parts for bad in part.bad] == [BadLine(2, TOO_LONG)]
    assert sum(part.lines for part in parts) == 3


def test_a_file_may_end_in_a_line_that_is_too_long() -> None:
    assert read(b"A\n" + b"k" * 20_000, size=4_096) == (["A"], [BadLine(2, TOO_LONG)], 2)


KEYS = st.lists(st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=40), max_size=30)


@given(KEYS, st.integers(1, 200), st.sampled_from([b"\n", b"\r\n"]))
def test_pieces_of_any_size_give_the_same_keys(keys: list[str], size: int, ending: bytes) -> None:
    lines = [f"#{key}" for key in keys]
    content = ending.join(line.encode() for line in lines)
    assert read(content, size=size) == ([line.strip() for line in lines], [], len(lines))


@given(KEYS, st.integers(1, 200))
def test_quoting_is_undone_exactly(keys: list[str], size: int) -> None:
    quoted = ['"' + f"#{key}".replace('"', '""') + '",9' for key in keys]
    content = "\n".join(["key,face", *quoted]).encode()
    assert read(content, "x.csv", size)[:2] == ([f"#{key}".strip() for key in keys], [])


@given(st.binary(max_size=2_000), st.integers(1, 300), st.sampled_from(["x.txt", "x.csv"]))
@example(b"\xef\xbb\xbf", 3, "x.txt")
def test_any_bytes_are_accounted_for_line_by_line(content: bytes, size: int, name: str) -> None:
    keys, bad, lines = read(content, name, size)
    words = content.removeprefix(b"\xef\xbb\xbf")
    assert lines == len(words.split(b"\n")) - (words[-1:] in {b"\n", b""})
    assert len(keys) + len(bad) <= lines
    assert [line.line_no for line in bad] == sorted({line.line_no for line in bad})


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"", Refusal.FILE_EMPTY),
        (b"\xef\xbb\xbf \r\n", Refusal.FILE_EMPTY),
        (b"MZ\x00\x01", Refusal.FILE_NOT_TEXT),
        ("key\nA".encode("utf-16"), Refusal.INVALID_FIELDS),
        (b"AAA001,PW001\nAAA002,PW002\n", Refusal.COLUMNS_UNKNOWN),
        ("卡密\nA-1".encode("gb18030"), Refusal.INVALID_FIELDS),
    ],
)
def test_what_is_no_list_of_keys_is_refused_at_once(head: bytes, code: Refusal) -> None:
    refused = judge_head(head, "x.csv", is_whole=True)
    assert isinstance(refused, Refused)
    assert refused.code is code


@pytest.mark.parametrize("head", [b"A-1", "卡密\nA".encode(), b"A\n\xff\xff\n"])
def test_a_list_of_keys_is_taken(head: bytes) -> None:
    assert isinstance(judge_head(head, "x.csv", is_whole=True), Layout)


def test_a_character_cut_at_the_end_of_the_beginning_is_no_fault() -> None:
    assert judge_head("卡".encode()[:2] + b"", "x.txt", is_whole=False) == Layout()
    assert judge_head(("a" + "密" * HEAD_BYTES).encode()[:HEAD_BYTES], "x.txt", is_whole=False) == Layout()


def test_no_representation_shows_a_key() -> None:
    reader = LineReader(Layout())
    piece = reader.feed(b"SECRET-1\nSECRET-2")
    assert "SECRET" not in repr(piece) + repr(reader)
    assert piece.keys == ["SECRET-1"]


def test_stock_adds_up() -> None:
    assert StockCounts(available=1, reserved=2, sealed=3, opened=4, replaced=5, withdrawn=6).total == 21
