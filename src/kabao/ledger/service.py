"""What others ask of the ledger: balances, an order's transfers, and the folding job."""

from kabao.kernel import OrderId, ShopId
from kabao.ledger import store
from kabao.ledger.model import AccountNo, Balance, Movement, Transfer
from kabao.postgres import Connection, Database


class LedgerService:
    """Reads balances and folds deltas; it never writes a transfer."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def open_accounts(self, conn: Connection, shop_id: ShopId) -> None:
        """Open a shop's accounts inside the caller's transaction."""
        await store.open_accounts(conn, shop_id)

    async def balances(self, shop_id: ShopId) -> list[Balance]:
        """Return the balance of every account that has moved."""
        async with self._database.connection() as conn:
            return await store.balances(conn, shop_id)

    async def balance(self, shop_id: ShopId, account: AccountNo) -> int:
        """Return one account's balance over all currencies in use, in minor units (0 where nothing moved)."""
        return sum(entry.balance_minor for entry in await self.balances(shop_id) if entry.account is account)

    async def transfers_of(self, shop_id: ShopId, order_id: OrderId) -> list[Transfer]:
        """Return the transfers of one order."""
        async with self._database.connection() as conn:
            return await store.transfers_of(conn, shop_id, order_id)

    async def statement(self, shop_id: ShopId, limit: int = 200) -> list[Movement]:
        """Return every movement of a shop's deposit and recourse, newest first; the caller checks the owner."""
        async with self._database.connection() as conn:
            return await store.statement(conn, shop_id, limit)

    async def fold(self) -> int:
        """Fold every shop's waiting deltas, a transaction each; returns how many deltas."""
        async with self._database.connection() as conn:
            shops = await store.shops_to_fold(conn)
        total = 0
        for shop_id in shops:
            async with self._database.transaction() as conn:
                total += await store.fold(conn, shop_id)
        return total
