"""The only file that executes the ledger's SQL."""

from typing import Final

from kabao.kernel import OrderId, ShopId, format_ref
from kabao.ledger.model import AccountNo, Balance, Movement, Transfer
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.ledger")


async def open_accounts(conn: Connection, shop_id: ShopId) -> None:
    """Open the fixed set of accounts of a shop."""
    await conn.execute(_SQL["open_accounts"], shop_id)


async def shops_to_fold(conn: Connection) -> list[ShopId]:
    """List the shops that have deltas waiting."""
    return [ShopId(row["shop_id"]) for row in await conn.fetch(_SQL["shops_to_fold"])]


async def fold(conn: Connection, shop_id: ShopId) -> int:
    """Fold one shop's deltas; returns how many."""
    folded: int = await conn.fetchval(_SQL["fold"], shop_id)
    return folded


async def balances(conn: Connection, shop_id: ShopId) -> list[Balance]:
    """Return every account's balance."""
    return [
        Balance(AccountNo(row["account_no"]), row["currency"], row["balance_minor"])
        for row in await conn.fetch(_SQL["balances"], shop_id)
    ]


async def transfers_of(conn: Connection, shop_id: ShopId, order_id: OrderId) -> list[Transfer]:
    """Return the transfers of one order."""
    return [
        Transfer(
            row["transfer_id"],
            AccountNo(row["debit_no"]),
            AccountNo(row["credit_no"]),
            row["amount_minor"],
            row["currency"],
            row["kind"],
            row["order_id"],
            row["event_at"],
        )
        for row in await conn.fetch(_SQL["transfers_of"], shop_id, order_id)
    ]


async def statement(conn: Connection, shop_id: ShopId, limit: int) -> list[Movement]:
    """Return a shop's deposit and recourse movements, newest first."""
    return [
        Movement(
            account=AccountNo(row["account_no"]),
            kind=row["kind"],
            change_minor=row["change_minor"],
            balance_minor=row["balance_minor"],
            order_ref=None if row["order_id"] is None else format_ref(shop_id, row["order_id"]),
            reference=row["reference"],
            at=row["event_at"],
        )
        for row in await conn.fetch(_SQL["statement"], shop_id, limit)
    ]
