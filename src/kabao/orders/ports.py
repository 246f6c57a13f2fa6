"""What orders need from elsewhere."""

from typing import Protocol


class OpenKey(Protocol):
    """Decrypts one card key; inventory's open_key is the adapter."""

    async def __call__(self, shop_id: int, listing_id: int, key_id: int, dek_id: int, sealed_text: bytes) -> str:
        """Return the key's text."""
