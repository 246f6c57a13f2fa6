"""The only file of the API that executes SQL: the replies kept under an Idempotency-Key."""

from typing import Final, NamedTuple

from kabao.kernel import AccountId
from kabao.postgres import Database, load_queries

_SQL: Final = load_queries("kabao.api")


class Claim(NamedTuple):
    """What stands under a key: ours to fill, or somebody's claim, or a kept reply."""

    is_mine: bool
    fingerprint: bytes
    status: int | None
    body: bytes | None


async def claim(database: Database, account_id: AccountId, key: str, fingerprint: bytes, stale: int) -> Claim | None:
    """Claim a key; None where another request is claiming it at this very moment."""
    row = await database.fetchrow(_SQL["claim"], account_id, key, fingerprint, stale)
    return None if row is None else Claim(row["is_mine"], row["fingerprint"], row["status"], row["body"])


async def keep(database: Database, account_id: AccountId, key: str, status: int, body: bytes) -> None:
    """Keep the reply of a claimed key."""
    await database.execute(_SQL["keep"], account_id, key, status, body)


async def give_up(database: Database, account_id: AccountId, key: str) -> None:
    """Let a claimed key go."""
    await database.execute(_SQL["give_up"], account_id, key)


async def forget_old(database: Database, days: int, limit: int) -> int:
    """Remove replies older than some days; returns how many."""
    tag = await database.execute(_SQL["forget_old"], days, limit)
    return int(tag.rpartition(" ")[2])
