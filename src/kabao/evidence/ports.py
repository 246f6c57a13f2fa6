"""What evidence needs from elsewhere, bound in wiring."""

from typing import Protocol

from kabao.postgres import Connection


class NotBefore(Protocol):
    """Answers the public log's newest checkpoint note, with which a recording is opened."""

    async def __call__(self) -> bytes:
        """Return the note without cosignatures; empty where nothing is logged yet."""


class OnErased(Protocol):
    """Told, in the same transaction, that an item is being erased, so that its record in the log goes too."""

    async def __call__(self, conn: Connection, shop_id: int, order_id: int, item_id: int) -> None:
        """Take the item's words out of the log's records."""


async def nothing_logged() -> bytes:
    """Stand where there is no log: a recording then has no "not before"."""
    return b""


async def no_record(conn: Connection, shop_id: int, order_id: int, item_id: int) -> None:
    """Stand where there is no log: there is no record to take out."""
