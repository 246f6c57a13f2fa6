"""What orders need from elsewhere."""

from typing import Protocol

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
