"""The data keys of shops: made, wrapped, unwrapped once and kept ready, replaced.

A data key is bound to its shop and number, a sealed text to shop, listing and key id, so that none opens elsewhere.
"""

import asyncio
import secrets
from collections import OrderedDict
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from kabao.inventory import store
from kabao.inventory.keyring import KEY_BYTES, NONCE_BYTES, Keyring
from kabao.postgres import Connection, Database

KEPT_MAX: Final = 256


class KeyUnreadable(Exception):  # noqa: N818  named for what happened
    """A sealed text does not open: it was changed, moved to another place, or its data key is gone. Holds no text."""


class DataKeys:
    """Ciphers by shop and data key, the 256 last used; safe to share within one event loop."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring
        self._kept: OrderedDict[tuple[int, int], AESGCMSIV] = OrderedDict()

    def __repr__(self) -> str:
        """Count the ciphers, never show a key."""
        return f"DataKeys({len(self._kept)} kept)"

    async def cipher(self, shop_id: int, dek_id: int) -> AESGCMSIV:
        """Return the cipher of a data key; KeyUnreadable where there is none."""
        kept = self._kept.get((shop_id, dek_id))
        if kept is None:
            async with self._database.connection() as conn:
                row = await store.data_key(conn, shop_id, dek_id)
            if row is None:
                raise KeyUnreadable(f"shop {shop_id} has no data key {dek_id}")
            kept = self._kept[shop_id, dek_id] = self._open(row)
            if len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
        self._kept.move_to_end((shop_id, dek_id))
        return kept

    async def active(self, conn: Connection, shop_id: int, at: datetime | None) -> tuple[int, AESGCMSIV]:
        """Return the number and cipher for new keys, making the first; the caller has locked the shop.

        Not kept: the caller's transaction may still be undone.
        """
        row = await store.active_data_key(conn, shop_id)
        if row is None:
            row = await self._renew(conn, shop_id, at)
        return row.dek_id, self._open(row)

    async def renew(self, conn: Connection, shop_id: int, at: datetime | None) -> int:
        """Make a data key for what is sealed from now on; returns its number. The caller has locked the shop."""
        return (await self._renew(conn, shop_id, at)).dek_id

    async def _renew(self, conn: Connection, shop_id: int, at: datetime | None) -> store.DataKeyRow:
        # With this lock held no rotation of the key file can end, so the newest key file read now is not removed
        # before the row is there to be wrapped anew.
        await store.hold_data_keys(conn)
        await asyncio.to_thread(self._keyring.reload)
        dek_id = await store.last_dek_id(conn, shop_id) + 1
        wrapped = self._keyring.wrap(shop_id, dek_id, secrets.token_bytes(KEY_BYTES))
        await store.retire_data_keys(conn, shop_id, at)
        await store.insert_data_key(conn, shop_id, dek_id, wrapped, at)
        return store.DataKeyRow(shop_id, dek_id, wrapped)

    def _open(self, row: store.DataKeyRow) -> AESGCMSIV:
        return AESGCMSIV(self._keyring.unwrap(row.shop_id, row.dek_id, row.wrapped))


def place_of(shop_id: int, listing_id: int, key_id: int) -> bytes:
    """Return the associated data that ties a sealed text to its place."""
    return f"{shop_id}|{listing_id}|{key_id}".encode()


def seal(cipher: AESGCMSIV, place: bytes, nonce: bytes, text: str) -> bytes:
    """Seal a key's text: nonce, then ciphertext and tag (AES-256-GCM-SIV, RFC 8452)."""
    return nonce + cipher.encrypt(nonce, text.encode(), place)


def unseal(cipher: AESGCMSIV, place: bytes, sealed: bytes) -> str:
    """Open a sealed text; KeyUnreadable where it was changed or stands in another place."""
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place).decode()
    except (InvalidTag, ValueError):
        raise KeyUnreadable("a sealed key was changed or moved") from None
