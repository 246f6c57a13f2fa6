import pytest
from hypothesis import given
from hypothesis import strategies as st

from kabao.kernel import Money, parse_yuan
from kabao.kernel.money import MAX_MINOR

amounts = st.integers(0, MAX_MINOR)
shares = st.lists(st.integers(0, 10_000), min_size=1, max_size=8).filter(any)


@given(amounts, shares)
def test_shares_sum_to_the_whole_and_none_is_off_by_more_than_one(minor: int, parts: list[int]) -> None:
    split = Money(minor).allocate(parts)
    assert sum(part.minor for part in split) == minor
    for part, share in zip(split, parts, strict=True):
        exact = minor * share / sum(parts)
        assert exact - 1 <= part.minor <= exact + 1
        assert share or part.minor == 0


def test_the_odd_unit_goes_to_the_earliest_share_that_is_one() -> None:
    assert Money(100).allocate([1, 1, 1]) == (Money(34), Money(33), Money(33))
    assert Money(2).allocate([0, 1, 1, 1]) == (Money(0), Money(1), Money(1), Money(0))
    assert Money(0).allocate([1, 2]) == (Money(0), Money(0))


@pytest.mark.parametrize(("minor", "parts"), [(-1, [1]), (5, []), (5, [0, 0]), (5, [3, -1])])
def test_what_cannot_be_split_is_refused(minor: int, parts: list[int]) -> None:
    with pytest.raises(ValueError, match="allocate"):
        Money(minor).allocate(parts)


@pytest.mark.parametrize("minor", [1.0, True, MAX_MINOR + 1, -MAX_MINOR - 1, "1"])
def test_an_amount_is_whole_and_within_range(minor: int) -> None:
    with pytest.raises(ValueError, match="whole number"):
        Money(minor)


def test_amounts_add_subtract_multiply_and_compare() -> None:
    assert Money(150) + Money(50) == Money(200)
    assert Money(150) - Money(200) == Money(-50)
    assert Money(150).times(3) == Money(450)
    assert Money(1) < Money(2)
    with pytest.raises(ValueError, match="whole number"):
        Money(MAX_MINOR).times(2)


def test_two_currencies_are_never_added() -> None:
    other = Money(1)
    object.__setattr__(other, "currency", "USD")  # the second currency is not in use yet
    with pytest.raises(ValueError, match="two currencies"):
        Money(1) + other


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("96.5", 9650),
        ("96.05", 9605),
        ("0", 0),
        ("0.01", 1),
        (" ￥8 ", 800),
        ("¥ 8.80", 880),
        ("1,234.50", 123450),
        ("1，234", 123400),
        ("1,000,000", 100_000_000),
        ("10000000", MAX_MINOR),
        ("１２", 1200),
        ("￥４８．８０", 4880),
        ("96。5", 9650),
        ("8元", 800),
        ("8.80 元", 880),
    ],
)
def test_amounts_are_read_as_people_type_them(text: str, minor: int) -> None:
    assert parse_yuan(text) == Money(minor)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        "1.234",
        "1.",
        ".5",
        "01",
        "1e3",
        "1,5",
        "96,50",
        "1234,567",
        "12,34",
        "¥¥1",
        "10000000.01",
        "999999999",
        "1" * 5000,
        "½",
        "٣",
        "1 000",
        "NaN",
        "元",
        "8元5",
        "8元元",
        "－1",
        "８，５",
    ],
)
def test_what_is_not_an_amount_is_none(text: str) -> None:
    """A comma where a decimal point is meant must not multiply the price by a hundred."""
    assert parse_yuan(text) is None


@given(amounts)
def test_every_amount_reads_back(minor: int) -> None:
    assert parse_yuan(f"{minor // 100:,}.{minor % 100:02d}") == Money(minor)


@given(st.text(max_size=30))
def test_any_text_is_read_or_none(text: str) -> None:
    read = parse_yuan(text)
    assert read is None or 0 <= read.minor <= MAX_MINOR
