from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kabao.law import Citation, Instrument, Mark, Place, citable, in_force
from kabao.law.model import article_key, canonical, exists, place_en, place_zh, read_groups
from kabao.law.numerals import LARGEST, read_number, to_chinese

ORDER_DAY = date(2026, 11, 1)


def instrument(**changes: object) -> Instrument:
    fields: dict[str, object] = {
        "id": "lifa",
        "name_zh": "中华人民共和国例法",
        "name_en": "Example Law",
        "short_zh": "例法",
        "issuer_zh": "某机关",
        "issuer_en": "An Authority",
        "in_force_from": date(2020, 1, 1),
        "mark": Mark.READ,
        "sources": ("LRB",),
    }
    return Instrument(**(fields | changes))  # type: ignore[arg-type]  # the fields are those of the class


def citation(**changes: object) -> Citation:
    fields: dict[str, object] = {
        "id": "lifa-25-1-3",
        "instrument": instrument(),
        "place": Place("25", 1, 3),
        "in_force_from": date(2020, 1, 1),
        "in_force_to": None,
        "summary_zh": "例子。",
        "summary_en": "An example.",
        "mark": Mark.READ,
        "sources": ("LRB",),
        "verified_on": date(2026, 11, 23),
    }
    return Citation(**(fields | changes))  # type: ignore[arg-type]  # the fields are those of the class


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "一"),
        (10, "十"),
        (15, "十五"),
        (20, "二十"),
        (25, "二十五"),
        (100, "一百"),
        (108, "一百零八"),
        (110, "一百一十"),
        (115, "一百一十五"),
        (225, "二百二十五"),
        (506, "五百零六"),
        (1001, "一千零一"),
        (1197, "一千一百九十七"),
        (2010, "二千零一十"),
        (9999, "九千九百九十九"),
    ],
)
def test_numbers_are_written_as_statutes_write_them(number: int, text: str) -> None:
    assert to_chinese(number) == text
    assert read_number(text) == number


@given(st.integers(1, LARGEST))
def test_every_number_is_read_back(number: int) -> None:
    assert read_number(to_chinese(number)) == number
    assert read_number(str(number)) == number


@pytest.mark.parametrize("text", ["", "0", "00000", "12345", "零", "十百", "一二", "廿五", "25条", "一千二", "百百"])
def test_what_is_no_number_is_not_guessed(text: str) -> None:
    assert read_number(text) is None or to_chinese(read_number(text) or 0) == text


@pytest.mark.parametrize("number", [0, -1, 10_000])
def test_a_number_that_no_article_has_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="no article"):
        to_chinese(number)


def test_an_instrument_goes_by_each_of_its_names() -> None:
    named = instrument(aliases=("例",), number_zh="令第1号")
    assert named.names() == ("中华人民共和国例法", "例法", "例法", "例", "令第1号")
    assert instrument().names() == ("中华人民共和国例法", "例法", "例法")


def test_a_citation_is_named_as_a_letter_names_it() -> None:
    assert citation().text_zh() == "《例法》第二十五条第一款第三项"
    assert citation().text_en() == "Example Law, Article 25(1)(3)"


def test_a_citation_without_article_is_named_by_its_topic() -> None:
    topic = citation(place=Place(None), topic_zh="关于申诉的规定", topic_en="provision on appeals")
    assert topic.text_zh() == "《例法》（关于申诉的规定）"
    assert topic.text_en() == "Example Law, provision on appeals"


@pytest.mark.parametrize(
    ("place", "zh", "en"),
    [
        (Place("25"), "第二十五条", "25"),
        (Place("49", 2), "第四十九条第二款", "49(2)"),
        (Place("5", None, 10), "第五条第十项", "5, item 10"),
        (Place("287-2", 1), "第二百八十七条之二第一款", "287-2(1)"),
    ],
)
def test_a_place_is_written_in_both_languages(place: Place, zh: str, en: str) -> None:
    assert (place_zh(place), place_en(place)) == (zh, en)


def test_a_place_without_article_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="no article"):
        place_zh(Place(None))


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2019, 12, 31), False),
        (date(2020, 1, 1), True),
        (date(2026, 4, 14), True),
        (date(2026, 4, 15), False),
    ],
)
def test_both_dates_are_days_in_force(on: date, *, expected: bool) -> None:
    repealed = citation(in_force_to=date(2026, 4, 14))
    assert in_force(repealed, on) is expected
    assert citable(repealed, on) is expected


@pytest.mark.parametrize(
    ("mark", "expected"),
    [(Mark.READ, True), (Mark.READ_TWICE, True), (Mark.SECONDARY, False), (Mark.GENERAL, False)],
)
def test_only_a_text_that_was_read_may_be_cited(mark: Mark, *, expected: bool) -> None:
    assert in_force(citation(mark=mark), ORDER_DAY)
    assert citable(citation(mark=mark), ORDER_DAY) is expected


def test_articles_sort_as_they_stand_in_the_law() -> None:
    assert sorted(["288", "287-2", "53", "287"], key=article_key) == ["53", "287", "287-2", "288"]


@pytest.mark.parametrize(
    ("shape", "given_place", "expected"),
    [
        (None, Place("9", 1, 2), Place("9", 1, 2)),
        ((10,), Place("5", 1, 10), Place("5", None, 10)),
        ((10,), Place("5", 2), Place("5", 2)),
        ((4, 0, 0), Place("25", None, 3), Place("25", 1, 3)),
        ((4, 0, 0), Place("25", 2), Place("25", 2)),
        ((2, 3), Place("7", None, 1), Place("7", None, 1)),
    ],
)
def test_a_place_has_one_name(shape: tuple[int, ...] | None, given_place: Place, expected: Place) -> None:
    assert canonical(shape, given_place) == expected


@pytest.mark.parametrize(
    ("shape", "place", "expected"),
    [
        ((4, 0, 0), Place("25"), True),
        ((4, 0, 0), Place("25", 1, 4), True),
        ((4, 0, 0), Place("25", 1, 5), False),
        ((4, 0, 0), Place("25", 2, 1), False),
        ((4, 0, 0), Place("25", 3), True),
        ((4, 0, 0), Place("25", 4), False),
        ((4, 0, 0), Place("25", None, 1), False),
        ((10,), Place("5", None, 10), True),
        ((10,), Place("5", None, 11), False),
    ],
)
def test_a_place_exists_or_not(shape: tuple[int, ...], place: Place, *, expected: bool) -> None:
    assert exists(shape, place) is expected


@pytest.mark.parametrize(
    ("shape", "groups", "expected"),
    [
        ((4, 0, 0), [], [Place("1")]),
        ((4, 0, 0), [2], [Place("1", 2)]),
        ((4, 0, 0), [1, 3], [Place("1", 1, 3)]),
        ((9, 0), [1, 2, 4], [Place("1", 1, 2), Place("1", 1, 4)]),
        ((0, 0, 0), [2, 3], [Place("1", 2), Place("1", 3)]),
        ((7,), [1, 2], [Place("1", None, 1), Place("1", None, 2)]),
        ((0,), [1], [Place("1")]),
        (None, [1, 2], [Place("1", 1, 2)]),
        ((4, 0), [5, 1], [Place("1", 5, 1)]),
    ],
)
def test_brackets_are_read_by_the_shape_of_the_article(
    shape: tuple[int, ...] | None, groups: list[int], expected: list[Place]
) -> None:
    assert read_groups(shape, "1", groups) == expected
