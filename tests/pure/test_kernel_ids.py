from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kabao.kernel import IdSource, Ref, ShopId, format_ref, parse_ref

ids = st.integers(1, 2**63 - 1)
NOW_MS = 1_772_443_800_000


def test_ids_grow_even_when_the_clock_steps_back() -> None:
    times = iter([NOW_MS, NOW_MS, NOW_MS - 5000, 0, NOW_MS + 1])
    source = IdSource(lambda: next(times), lambda bits: 2**bits - 1)
    made = [source.next() for _ in range(5)]
    assert made == sorted(set(made))
    assert all(0 < number < 2**63 for number in made)
    assert [number - made[0] for number in made[:4]] == [0, 1, 2, 3]
    assert (made[4] >> 22) - (made[0] >> 22) == 1


def test_the_first_id_of_all_is_positive() -> None:
    assert IdSource(lambda: 0, lambda _bits: 0).next() == 1


def test_ids_made_in_several_threads_never_repeat() -> None:
    source = IdSource(lambda: NOW_MS, lambda _bits: 0)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _number: source.next(), range(20_000)))
    assert len(set(made)) == len(made)


def test_two_sources_at_the_same_moment_differ() -> None:
    assert IdSource().next() != IdSource().next()


@given(ids, ids)
def test_a_reference_reads_back(shop_id: int, object_id: int) -> None:
    text = format_ref(shop_id, object_id)
    assert parse_ref(text) == Ref(ShopId(shop_id), object_id)
    assert parse_ref(text.lower()) == parse_ref(text)


def test_letters_that_look_like_digits_are_forgiven() -> None:
    assert parse_ref("1O-IL") == parse_ref("10-11")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "7",
        "7-",
        "-7",
        "0-1",
        "1-0",
        "7-U",
        "7-1-1",
        "7-8000000000000",
        "7-FFFFFFFFFFFFFF",
        "7 -1",
        "７-1",
        "7-ß",
        "7-ı",
        "7-ſ",
        "7-\x00",
        " 7-1",
        "7-1 ",
        "7-1\n",
        "7-1\r\nx: y",
        "\t7-1",
    ],
)
def test_what_is_not_a_reference_is_none(text: str) -> None:
    assert parse_ref(text) is None


@given(st.text(max_size=40))
def test_any_text_is_read_or_none(text: str) -> None:
    ref = parse_ref(text)
    assert ref is None or parse_ref(format_ref(*ref)) == ref


@pytest.mark.parametrize("number", [0, -1, 2**63])
def test_a_number_that_is_no_id_is_never_written(number: int) -> None:
    with pytest.raises(ValueError, match="63-bit"):
        format_ref(number, 1)
