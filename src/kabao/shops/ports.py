"""What shops need from elsewhere, bound in wiring.py."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias


class Owner(Protocol):
    """Someone signed in, such as identity's Person."""

    @property
    def account_id(self) -> int:
        """The account that owns the shop."""


OnMerchant: TypeAlias = Callable[[int], Awaitable[object]]
"""Called with the account id after a first shop was opened: identity grants the merchant role."""
