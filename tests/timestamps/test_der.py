"""DER as it is written and as strictly as it is read."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kabao.timestamps import der


@pytest.mark.parametrize(
    ("number", "encoded"), [(0, "020100"), (127, "02017f"), (128, "02020080"), (256, "02020100"), (255, "020200ff")]
)
def test_an_integer_takes_the_fewest_bytes_and_stays_positive(number: int, encoded: str) -> None:
    assert der.integer(number).hex() == encoded


@pytest.mark.parametrize(
    ("dotted", "encoded"),
    [
        ("1.2.840.113549.1.7.2", "06092a864886f70d010702"),
        ("2.999.3161", "06048837" + "9859"),
        ("2.5.29.37", "0603551d25"),
    ],
)
def test_an_object_identifier_is_written_as_x690_says(dotted: str, encoded: str) -> None:
    assert der.oid(dotted).hex() == encoded


def test_the_members_of_a_set_are_sorted_and_a_time_is_utc() -> None:
    assert der.set_of([der.integer(2), der.integer(1)]).hex() == "3106020101020102"
    assert der.generalized_time(datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)) == b"\x18\x0f20261124010203Z"


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_what_was_written_is_read_back(parts: list[bytes]) -> None:
    found = der.read(der.sequence(*(der.octets(part) for part in parts)))
    assert [child.body for child in found.children()] == parts


@pytest.mark.parametrize(
    "bad",
    [
        "",  # nothing
        "30",  # no length
        "3080",  # a length left open
        "308100",  # a length in more bytes than it needs
        "30820001",  # a length that begins with zero
        "3003020100" + "00",  # more than one value
        "0201" + "00",  # another kind
        "3002" + "02",  # shorter than it says
        "1f0100",  # a tag of several bytes
        "3085" + "0000000001",  # a length in five bytes
        "3082" + "01",  # a length that is cut off
    ],
)
def test_what_is_not_der_is_refused(bad: str) -> None:
    with pytest.raises(der.NotDerError):
        der.read(bytes.fromhex(bad))


@given(st.binary(max_size=60))
def test_reading_stray_bytes_ends_in_one_kind_of_error(stray: bytes) -> None:
    try:
        for child in der.read(stray).children():
            child.children()
    except der.NotDerError:
        return
    assert stray[0] == der.SEQUENCE
