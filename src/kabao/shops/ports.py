"""What shops need from elsewhere, bound in wiring.py."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

from kabao.shops.model import ListingDraft, TermsFault


class Owner(Protocol):
    """Someone signed in, such as identity's Person."""

    @property
    def account_id(self) -> int:
        """The account that owns the shop."""


OnMerchant: TypeAlias = Callable[[int], Awaitable[object]]
"""Called with the account id after a first shop was opened: identity grants the merchant role."""

TermsCheck: TypeAlias = Callable[[ListingDraft], Sequence[TermsFault]]
"""Reads a listing's free texts, also beside its structured terms, and says what is wrong in them."""
