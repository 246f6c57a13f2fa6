"""Tells merchants of their sales and payouts: the first at once, then at most every 15 minutes, all in one line.

It reads the history of orders behind a cursor, so no money step has to write a row for it; any number of runners may
work at once. A crash leaves the cursor and what was told as they were.
"""

from datetime import timedelta
from typing import Final

from kabao.kernel import Clock, format_ref
from kabao.orders import store
from kabao.orders.model import UntoldShop
from kabao.orders.ports import Notices
from kabao.orders.rules import digest_subject
from kabao.postgres import Connection, Database
from kabao.shops import shop_ref

EVERY: Final = timedelta(minutes=15)
MARGIN: Final = timedelta(seconds=2)
"""Between a transaction's beginning and the server's list of what runs showing it."""
BATCH: Final = 500


class MerchantDigest:
    """A background job's work over all shops."""

    def __init__(self, *, database: Database, clock: Clock, notices: Notices, margin: timedelta = MARGIN) -> None:
        self._database = database
        self._clock = clock
        self._notices = notices
        self._margin = margin

    async def run(self) -> int:
        """Read on and tell every shop that is due; returns how many notices were left."""
        await self._read_on()
        told = 0
        while True:
            async with self._database.transaction() as conn:
                due = await store.take_untold(conn, EVERY, BATCH, self._clock.instant())
                for shop in due:
                    await self._tell(conn, shop)
            told += len(due)
            if len(due) < BATCH:
                return told

    async def _read_on(self) -> None:
        at = self._clock.instant()
        async with self._database.transaction() as conn:
            await store.begin_digest(conn, at)
            stretch = await store.digest_stretch(conn, at, self._margin)
            if stretch is None or stretch[1] <= stretch[0]:
                return
            # A statement of its own: it sees all that was committed before the end of the stretch was known.
            await store.add_up(conn, *stretch)
            await store.move_on(conn, stretch[1])

    async def _tell(self, conn: Connection, shop: UntoldShop) -> None:
        is_one = shop.orders == 1
        order, shop_page = format_ref(shop.shop_id, shop.order_id), shop_ref(shop.shop_id)
        link = f"/o/{order}" if is_one else f"/m/{shop_page}/orders"
        subject = digest_subject(shop.kind, shop.name, shop.orders, shop.amount_minor)
        await self._notices.tell(conn, shop.owner_id, shop.kind, subject, link)
