"""Money in whole minor units (分 for CNY). No floats and no division: shares are allocated, in a stated order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

MAX_MINOR: Final = 10_000_000_00
"""The largest single amount taken, ten million yuan in fen."""

_YUAN: Final = re.compile(
    r"[¥￥]?\s*(0|[1-9][0-9]{0,8}|[1-9][0-9]{0,2}(?:[,，][0-9]{3}){1,2})(?:[.。]([0-9]{1,2}))?\s*元?"
)
_WIDE: Final = str.maketrans("０１２３４５６７８９．－", "0123456789.-")


class Currency(StrEnum):
    """ISO 4217 codes in use."""

    CNY = "CNY"


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units of one currency."""

    minor: int
    currency: Currency = Currency.CNY

    def __post_init__(self) -> None:
        """Refuse anything but whole minor units within the range taken."""
        if type(self.minor) is not int or abs(self.minor) > MAX_MINOR:
            raise ValueError("an amount is a whole number of minor units, at most MAX_MINOR")

    def __add__(self, other: Self) -> "Money":
        """Add an amount of the same currency."""
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Self) -> "Money":
        """Subtract an amount of the same currency."""
        return Money(self.minor - self._same(other), self.currency)

    def times(self, count: int) -> "Money":
        """Multiply by a whole number of items."""
        return Money(self.minor * count, self.currency)

    def allocate(self, shares: Sequence[int]) -> tuple["Money", ...]:
        """Split by whole-number shares; odd units go to the earliest non-zero shares, one each.

        The parts always sum to the whole. Raises ValueError for a negative amount or shares that sum to nothing.
        """
        total = sum(shares)
        if self.minor < 0 or total <= 0 or min(shares) < 0:
            raise ValueError("allocate takes a non-negative amount and non-negative shares with a positive sum")
        parts = [self.minor * share // total for share in shares]
        odd = self.minor - sum(parts)
        for index, share in enumerate(shares):
            if odd and share:
                parts[index] += 1
                odd -= 1
        return tuple(Money(part, self.currency) for part in parts)

    def _same(self, other: Self) -> int:
        if other.currency is not self.currency:
            raise ValueError("amounts of two currencies are never added")
        return other.minor


def yuan_text(minor: int) -> str:
    """Write an amount of 分 as people read it everywhere, ``¥1,234.50``: always with its cents."""
    whole, cents = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}¥{whole:,}.{cents:02d}"


def half_width(text: str) -> str:
    """Write the wide digits, points and dashes of a Chinese keyboard as the plain ones they stand for."""
    return text.translate(_WIDE)


def parse_yuan(text: str) -> Money | None:
    """Read what a person typed (``96.5``, ``1,234.50``, ``￥8``, ``９６元``) as CNY; None where it is none in range.

    A comma only groups thousands: ``96,5`` is no amount, since it might mean either of two.
    """
    match = _YUAN.fullmatch(half_width(text.strip()))
    if match is None:
        return None
    minor = int(re.sub("[,，]", "", match[1])) * 100 + int((match[2] or "").ljust(2, "0"))
    return Money(minor) if minor <= MAX_MINOR else None
