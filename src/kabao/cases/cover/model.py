"""A cover as plain values: from when until when, up to how much each and in all, and what it did."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

LONGEST: Final = timedelta(days=60)
"""How long one cover may stand."""
SHOWN: Final = 50
OVER_TOTAL: Final = "over_total"
"""Why a case was left to people, where what the cover gives in all would not have reached."""


class SetCover(msgspec.Struct, frozen=True, kw_only=True):
    """What a merchant sets: while away, refunds demanded up to `each_minor` are granted, up to `total_minor` in all."""

    from_at: datetime
    until_at: datetime
    each_minor: int
    total_minor: int


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """A cover that stands, and what it has given."""

    cover_id: int
    from_at: datetime
    until_at: datetime
    each_minor: int
    total_minor: int
    spent_minor: int


class CoverDeed(msgspec.Struct, frozen=True, kw_only=True):
    """What a cover did with a case: granted, or the code of why it was left to people."""

    ref: str
    refund_minor: int
    refused: str | None
    at: datetime


class CoverView(msgspec.Struct, frozen=True, kw_only=True):
    """A shop's cover as its owner sees it: the one that stands (None: none does), and what covers did, newest first."""

    standing: Cover | None
    deeds: Sequence[CoverDeed]
