"""What orders need from elsewhere."""

from typing import Protocol

from kabao.kernel import OrderId, ShopId
from kabao.postgres import Connection


class OpenKey(Protocol):
    """Decrypts one card key; inventory's open_key is the adapter."""

    async def __call__(self, shop_id: int, listing_id: int, key_id: int, dek_id: int, sealed_text: bytes) -> str:
        """Return the key's text."""


class Notices(Protocol):
    """Tells somebody that something happened, in the caller's transaction."""

    async def tell(self, conn: Connection, account_id: int, kind: str, subject: str, link: str, /) -> object:
        """Leave a notice; `link` is a path of this site."""
        ...


class OpenCases(Protocol):
    """Ends the case that is open on an order, in the caller's transaction; it is locked before the money."""

    async def lock(self, conn: Connection, shop_id: ShopId, order_id: OrderId, /) -> int | None:
        """Lock the case that is open on an order; None where none is."""
        ...

    async def end(self, conn: Connection, shop_id: ShopId, order_id: OrderId, locked: int | None, /) -> bool:
        """End the case that a booked chargeback ends; False where it is another than was locked."""
        ...
