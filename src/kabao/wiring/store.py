"""The only file of wiring that executes SQL: whether the database works, and whether the market is still empty."""

from typing import Final

from kabao.kernel import AccountId
from kabao.postgres import Database, load_queries

_SQL: Final = load_queries("kabao.wiring")


async def ping(database: Database) -> None:
    """Return when the database works; raises `DatabaseUnavailable`."""
    await database.fetchval(_SQL["ping"])


async def has_shops(database: Database) -> bool:
    """Tell whether any shop exists."""
    found: bool = await database.fetchval(_SQL["has_shops"])
    return found


async def accounts_of(database: Database, phones: list[str]) -> dict[str, AccountId]:
    """Find the accounts of some phones; those without one are left out."""
    return {row["phone"]: AccountId(row["account_id"]) for row in await database.fetch(_SQL["accounts_of"], phones)}


async def staff_among(database: Database, accounts: list[AccountId]) -> list[AccountId]:
    """Keep of some accounts those that hold a staff role."""
    return [AccountId(row["account_id"]) for row in await database.fetch(_SQL["staff_among"], accounts)]


async def accounts_named(database: Database, name: str) -> list[AccountId]:
    """Find the accounts that bear a display name, oldest first."""
    return [AccountId(row["account_id"]) for row in await database.fetch(_SQL["accounts_named"], name)]
