"""The only file that executes the timestamps' SQL."""

# ruff: noqa: D103  each function is the query of its name, which queries.sql describes

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from kabao.postgres import Connection, load_queries
from kabao.timestamps.model import (
    Accepted,
    Authority,
    Claimed,
    Fault,
    Faulty,
    Kept,
    MissingRound,
    Stamp,
    StampState,
    Waiting,
)

_SQL: Final = load_queries("kabao.timestamps")


async def want(
    conn: Connection, digest: bytes, data: bytes, subject: str, names: Sequence[str], at: datetime | None
) -> None:
    await conn.execute(_SQL.want, digest, data, subject, list(names), at)


async def mend(conn: Connection, name: str, limit: timedelta, at: datetime | None) -> None:
    await conn.execute(_SQL.mend_requests, name, limit, at)
    await conn.execute(_SQL.mend_authority, name, limit, at)


async def claim(conn: Connection, name: str, lease: timedelta, at: datetime | None) -> Claimed | None:
    row = await conn.fetchrow(_SQL.claim, name, lease, at)
    return None if row is None else Claimed(**dict(row))


async def now(conn: Connection, at: datetime | None) -> datetime:
    found: datetime = await conn.fetchval(_SQL.now, at)
    return found


async def finish(
    conn: Connection, authority: Authority, claimed: Claimed, response: bytes, found: Accepted, renew_at: datetime
) -> bool:
    done: int = await conn.fetchval(
        _SQL.finish,
        claimed.digest,
        authority.name,
        claimed.round,
        claimed.attempt,
        response,
        found.stamped_at,
        found.serial,
        found.expires_at,
        sha256(authority.roots_pem).digest(),
        authority.roots_pem,
        renew_at,
    )
    return done == 1


async def postpone(conn: Connection, name: str, claimed: Claimed, next_at: datetime | None, why: Faulty) -> None:
    await conn.execute(
        _SQL.postpone, claimed.digest, name, claimed.round, claimed.attempt, next_at, why.fault, why.detail or None
    )


async def authority_answered(conn: Connection, name: str, at: datetime) -> None:
    await conn.execute(_SQL.authority_answered, name, at)


async def authority_failed(conn: Connection, name: str, why: Faulty) -> int:
    failures: int = await conn.fetchval(_SQL.authority_failed, name, why.fault, why.detail or None)
    return failures


async def authority_rests(conn: Connection, name: str, until: datetime) -> None:
    await conn.execute(_SQL.authority_rests, name, until)


async def stamps(conn: Connection, digest: bytes) -> list[Stamp]:
    return [
        Stamp(state=StampState(row.pop("state")), **_failure(row), **row)
        for row in map(dict[str, Any], await conn.fetch(_SQL.stamps, digest))
    ]


async def waiting(conn: Connection, names: Sequence[str]) -> list[Waiting]:
    return [
        Waiting(authority=row.pop("name"), **_failure(row), **row)
        for row in map(dict[str, Any], await conn.fetch(_SQL.waiting, list(names)))
    ]


async def due_renewals(conn: Connection, at: datetime | None, limit: int) -> list[bytes]:
    return [row["digest"] for row in await conn.fetch(_SQL.due_renewals, at, limit)]


async def renew(
    conn: Connection, digests: Sequence[bytes], names: Sequence[str], at: datetime | None, again: timedelta
) -> None:
    await conn.execute(_SQL.renew, list(digests), list(names), at, again)


async def kept(conn: Connection, after: tuple[bytes, str, int], limit: int) -> list[Kept]:
    return [Kept(**dict(row)) for row in await conn.fetch(_SQL.kept, *after, limit)]


async def missing_rounds(conn: Connection) -> list[MissingRound]:
    return [MissingRound(**dict(row)) for row in await conn.fetch(_SQL.missing_rounds)]


async def odd_roots(conn: Connection) -> list[bytes]:
    return [row["digest"] for row in await conn.fetch(_SQL.odd_roots)]


def _failure(row: dict[str, Any]) -> dict[str, Any]:
    fault = row.pop("last_fault")
    return {"fault": None if fault is None else Fault(fault), "detail": row.pop("last_error")}
