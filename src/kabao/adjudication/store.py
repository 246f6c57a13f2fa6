"""The only file that executes the SQL of rulebook versions."""

from datetime import datetime
from typing import Final

import msgspec

from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.adjudication")


class VersionCard(msgspec.Struct, frozen=True, kw_only=True):
    """A kept version: a draft has no published_at and no effective_at."""

    version: str
    digest: bytes
    is_major: bool
    kept_at: datetime
    published_at: datetime | None
    effective_at: datetime | None


async def keep(
    conn: Connection,
    version: str,
    body: str,
    digest: bytes,
    is_major: bool,  # noqa: FBT001  a column
    now: datetime | None,
    published_at: datetime | None,
    effective_at: datetime | None,
) -> bool:
    """Keep a version's text; False where the version, or its effective time, is taken."""
    kept = await conn.fetchval(_SQL["keep"], version, body, digest, is_major, now, published_at, effective_at)
    return kept is not None


async def has_published(conn: Connection) -> bool:
    """Tell whether any version binds or will."""
    answer: bool = await conn.fetchval(_SQL["has_published"])
    return answer


async def now(conn: Connection, at: datetime | None) -> datetime:
    """Return the database's clock, or the instant handed in."""
    answer: datetime = await conn.fetchval(_SQL["now"], at)
    return answer


async def versions(conn: Connection) -> list[VersionCard]:
    """List every version, the latest to bind first, drafts last."""
    return [VersionCard(**dict(row)) for row in await conn.fetch(_SQL["versions"])]


async def body(conn: Connection, version: str) -> str | None:
    """Return the text of a version."""
    text: str | None = await conn.fetchval(_SQL["body"], version)
    return text


async def in_force(conn: Connection, at: datetime | None) -> str | None:
    """Return the version that binds at an instant."""
    version: str | None = await conn.fetchval(_SQL["in_force"], at)
    return version


async def binding(conn: Connection, ordered_at: datetime, now: datetime | None) -> str | None:
    """Return the version that binds what was ordered at an instant."""
    version: str | None = await conn.fetchval(_SQL["binding"], ordered_at, now)
    return version


async def publish(conn: Connection, version: str, now: datetime | None, effective_at: datetime) -> bool:
    """Publish a draft; False where it is published already or unknown."""
    return await conn.fetchval(_SQL["publish"], version, now, effective_at) is not None
