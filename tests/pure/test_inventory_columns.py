import pytest

from kabao.inventory import UsedColumn
from kabao.inventory.columns import Layout, layout_of, spellings, tail_of
from kabao.kernel import Refusal, Refused


def columns(first: str, *, is_csv: bool = True) -> list[tuple[int, str]]:
    layout = layout_of(first, is_csv=is_csv)
    assert isinstance(layout, Layout)
    assert layout.has_header
    return [(column.column_no, column.label) for column in layout.columns]


@pytest.mark.parametrize("name", ["key", " Code ", "CDKEY", "卡密", "兑换码", "激活码", "序列号", "card_key", "S/N"])
def test_a_column_that_is_a_whole_key_is_known_in_both_languages(name: str) -> None:
    assert [place for place, _ in columns(f"编号,{name},面值")] == [2]
    assert [place for place, _ in columns(name, is_csv=False)] == [1]


@pytest.mark.parametrize(
    ("header", "labels"),
    [
        ("卡号,密码", ["卡号", "密码"]),
        ("帐号,密码", ["账号", "密码"]),
        ("Card Number,PIN", ["卡号", "PIN"]),
        ("account;password", ["账号", "密码"]),
        ("卡号,卡密", ["卡号", "卡密"]),
        ('"username","pwd"', ["账号", "密码"]),
        ("账号,密码,邮箱,邮箱密码", ["账号", "密码", "邮箱", "邮箱密码"]),
    ],
)
def test_parts_of_one_key_are_known_together(header: str, labels: list[str]) -> None:
    assert [label for _, label in columns(header)] == labels


def test_columns_left_out_are_counted() -> None:
    layout = layout_of("序号,卡号,密码,面值,", is_csv=True)
    assert layout == Layout(",", (UsedColumn(2, "卡号"), UsedColumn(3, "密码")), 4, has_header=True)
    assert isinstance(layout, Layout)
    assert layout.unused_columns == 2
    assert Layout().unused_columns == 0


@pytest.mark.parametrize("header", ["卡号,口令码", "面值,密码"])
@pytest.mark.parametrize("is_csv", [True, False])
def test_half_of_a_pair_is_never_sold_alone(header: str, is_csv: bool) -> None:  # noqa: FBT001  a parameter of pytest
    refused = layout_of(header, is_csv=is_csv)
    assert isinstance(refused, Refused)
    assert refused.code is Refusal.COLUMNS_UNKNOWN
    assert "没有导入" in refused.fields["file"]


@pytest.mark.parametrize("first", ["AAA001,PW001", "名称,面值", "A\tB", "A;B", '"A,1",100'])
def test_a_csv_file_of_several_columns_without_a_known_header_is_refused(first: str) -> None:
    refused = layout_of(first, is_csv=True)
    assert refused == Refused(Refusal.COLUMNS_UNKNOWN)
    assert layout_of(first, is_csv=False) == Layout()
    for word in ("卡号", "卡密", "password", ".txt"):
        assert word in refused.zh
        assert word in refused.en


@pytest.mark.parametrize("first", ["AAA001", "AAA001----PW001", "A,", '"open', ""])
def test_a_csv_file_of_one_column_is_taken(first: str) -> None:
    assert layout_of(first, is_csv=True) == Layout(",", (UsedColumn(1, ""),))


def test_a_word_of_the_list_inside_a_text_line_is_no_header() -> None:
    assert layout_of("card AAA001", is_csv=False) == Layout()


@pytest.mark.parametrize("pasted", ["AAA001 PW001", "AAA001,PW001", "AAA001----PW001", " AAA001\tPW001 "])
def test_a_pasted_pair_is_looked_for_under_its_labels(pasted: str) -> None:
    assert {pasted, "卡号 AAA001 密码 PW001", "账号 AAA001 密码 PW001"} <= set(spellings(pasted))


@pytest.mark.parametrize("pasted", ["AAA001", "AAA001-PW001", "----PW001"])
def test_a_key_in_one_part_is_looked_for_as_it_is(pasted: str) -> None:
    assert spellings(pasted) == [pasted]


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("ABCD-EFGH-1234", "1234"),
        ("ABCDEF", "DEF"),
        ("A", ""),
        ("卡号 AAA001 密码 PW", "001"),
        ("账号 someone@example.com 密码 PW 邮箱 x 邮箱密码 y", ".com"),
        ("AAAA0001----SECRET", "0001"),
        ("AAAA0001,SECRET", "0001"),
    ],
)
def test_the_tail_tells_at_most_half_and_nothing_of_a_password(text: str, tail: str) -> None:
    assert tail_of(text) == tail
