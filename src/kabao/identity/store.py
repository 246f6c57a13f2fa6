"""The only file that executes identity's SQL. Each function runs on the connection of its use case."""

# ruff: noqa: D103  each function is the query of its name, which queries.sql describes

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import asyncpg
import msgspec

from kabao.identity.model import Person, Role, Visitor
from kabao.identity.rules import Limit, mask_phone
from kabao.kernel import AccountId
from kabao.postgres import Connection, load_queries

_SQL = load_queries("kabao.identity")


class Account(NamedTuple):
    """An account as stored, with its phone masked already."""

    person: Person
    is_frozen: bool


class StoredCode(msgspec.Struct, frozen=True):
    """A phone's last code and the instant it is looked at."""

    code_hash: bytes
    attempts: int
    sent_at: datetime
    expires_at: datetime
    now: datetime


class StoredEmail(NamedTuple):
    """An account's address, whether mail goes there, and a new one that waits for its code."""

    email: str | None
    is_working: bool
    pending: str | None


class StoredSession(NamedTuple):
    """A live session, its person, and the instant it is looked at."""

    person: Person
    seen_at: datetime
    now: datetime


class StoredCredential(NamedTuple):
    """What is known of a staff member's password and authenticator; both None for anyone else."""

    password_hash: str | None
    totp_sealed: bytes | None
    now: datetime


def _person(row: asyncpg.Record, *, staff_checked: bool = False) -> Person:
    return Person(
        account_id=AccountId(row["account_id"]),
        display_name=row["display_name"],
        phone_masked=mask_phone(row["phone"]),
        roles=frozenset(map(Role, row["roles"])),
        staff_checked=staff_checked,
    )


def _account(row: asyncpg.Record) -> Account:
    return Account(_person(row), row["is_frozen"])


async def allow(conn: Connection, bucket: str, limit: Limit, at: datetime | None) -> bool:
    return await conn.fetchval(_SQL.allow, bucket, limit.hits, limit.seconds, at) is not None


async def lock_code(conn: Connection, phone: str, at: datetime | None) -> StoredCode | None:
    row = await conn.fetchrow(_SQL.lock_code, phone, at)
    return StoredCode(*row) if row else None


async def save_code(
    conn: Connection, phone: str, code_hash: bytes, seconds: int, spacing: int, at: datetime | None
) -> bool:
    return await conn.fetchval(_SQL.save_code, phone, code_hash, seconds, spacing, at) is not None


async def set_attempts(conn: Connection, phone: str, attempts: int) -> None:
    await conn.execute(_SQL.set_attempts, phone, attempts)


async def ensure_account(
    conn: Connection, account_id: int, phone: str, name: str, first_roles: Iterable[Role], at: datetime | None
) -> Account:
    if await conn.fetchval(_SQL.add_account, account_id, phone, name, at) is not None:
        await add_roles(conn, account_id, first_roles, at)
    (row,) = await conn.fetch(_SQL.account_by_phone, phone)
    return _account(row)


async def add_roles(conn: Connection, account_id: int, roles: Iterable[Role], at: datetime | None) -> None:
    await conn.execute(_SQL.add_roles, account_id, sorted(roles), at)


async def account_by_phone(conn: Connection, phone: str) -> Account | None:
    row = await conn.fetchrow(_SQL.account_by_phone, phone)
    return _account(row) if row else None


async def account_by_id(conn: Connection, account_id: int) -> Account | None:
    row = await conn.fetchrow(_SQL.account_by_id, account_id)
    return _account(row) if row else None


async def reachable_phone(conn: Connection, account_id: int) -> str | None:
    phone: str | None = await conn.fetchval(_SQL.reachable_phone, account_id)
    return phone


async def accounts_by_name(conn: Connection, name: str) -> list[Account]:
    return [_account(row) for row in await conn.fetch(_SQL.accounts_by_name, name)]


async def rename(conn: Connection, account_id: int, name: str) -> bool:
    return await conn.fetchval(_SQL.rename, account_id, name) is not None


async def email(conn: Connection, account_id: int, at: datetime | None) -> StoredEmail | None:
    row = await conn.fetchrow(_SQL.email, account_id, at)
    return StoredEmail(*row) if row else None


async def lock_email_code(conn: Connection, account_id: int, at: datetime | None) -> tuple[str, StoredCode] | None:
    row = await conn.fetchrow(_SQL.lock_email_code, account_id, at)
    return (row["email"], StoredCode(*row[1:])) if row else None


async def save_email_code(
    conn: Connection, account_id: int, email: str, code_hash: bytes, seconds: int, spacing: int, at: datetime | None
) -> bool:
    saved = await conn.fetchval(_SQL.save_email_code, account_id, email, code_hash, seconds, spacing, at)
    return saved is not None


async def set_email_attempts(conn: Connection, account_id: int, attempts: int) -> None:
    await conn.execute(_SQL.set_email_attempts, account_id, attempts)


async def drop_email_code(conn: Connection, account_id: int, code_hash: bytes | None = None) -> None:
    await conn.execute(_SQL.drop_email_code, account_id, code_hash)


async def set_email(conn: Connection, account_id: int, email: str | None, at: datetime | None) -> None:
    await conn.execute(_SQL.set_email, account_id, email, at)


async def fail_email(conn: Connection, account_id: int, email: str, at: datetime | None) -> bool:
    return await conn.fetchval(_SQL.fail_email, account_id, email, at) is not None


async def set_frozen(conn: Connection, account_id: int, at: datetime | None, *, frozen: bool) -> bool:
    return await conn.fetchval(_SQL.set_frozen, account_id, frozen, at) is not None


async def add_link(
    conn: Connection, link_hash: bytes, account_id: int, role: Role, seconds: int, at: datetime | None
) -> bool:
    return await conn.fetchval(_SQL.add_link, link_hash, account_id, role, seconds, at) is not None


async def use_link(conn: Connection, link_hash: bytes, at: datetime | None) -> tuple[int, Role] | None:
    row = await conn.fetchrow(_SQL.use_link, link_hash, at)
    return (row["account_id"], Role(row["role"])) if row else None


async def add_session(
    conn: Connection, session_hash: bytes, account_id: int, visitor: Visitor, seconds: int, at: datetime | None
) -> datetime:
    expires_at: datetime = await conn.fetchval(
        _SQL.add_session, session_hash, account_id, visitor.device, visitor.network, seconds, at
    )
    return expires_at


async def session(conn: Connection, session_hash: bytes, at: datetime | None) -> StoredSession | None:
    row = await conn.fetchrow(_SQL.session, session_hash, at)
    if row is None:
        return None
    until: datetime | None = row["staff_until"]
    person = _person(row)
    if until is not None and until > row["now"] and person.is_staff:
        person = msgspec.structs.replace(person, staff_checked=True)
    return StoredSession(person, row["seen_at"], row["now"])


async def touch_session(conn: Connection, session_hash: bytes, now: datetime, seconds: int) -> None:
    await conn.execute(_SQL.touch_session, session_hash, now, seconds)


async def end_session(conn: Connection, session_hash: bytes) -> None:
    await conn.execute(_SQL.end_session, session_hash)


async def end_sessions(conn: Connection, account_id: int) -> int:
    return len(await conn.fetch(_SQL.end_sessions, account_id))


async def save_credential(conn: Connection, account_id: int, password_hash: str, totp_sealed: bytes) -> None:
    await conn.execute(_SQL.save_credential, account_id, password_hash, totp_sealed)
    await conn.execute(_SQL.end_staff_checks, account_id)


async def credential(conn: Connection, account_id: int, at: datetime | None) -> StoredCredential:
    (row,) = await conn.fetch(_SQL.credential, account_id, at)
    return StoredCredential(*row)


async def spend_step(conn: Connection, account_id: int, step: int, password_hash: str) -> bool:
    return await conn.fetchval(_SQL.spend_step, account_id, step, password_hash) is not None


async def mark_staff(conn: Connection, session_hash: bytes, account_id: int, seconds: int, at: datetime | None) -> bool:
    return await conn.fetchval(_SQL.mark_staff, session_hash, account_id, seconds, at) is not None


async def add_token(conn: Connection, token_hash: bytes, account_id: int, role: Role, at: datetime | None) -> bool:
    return await conn.fetchval(_SQL.add_token, token_hash, account_id, role, at) is not None


async def token(conn: Connection, token_hash: bytes) -> Person | None:
    row = await conn.fetchrow(_SQL.token, token_hash)
    if row is None:
        return None
    person = _person(row)
    # Who may run commands on the server made this token; that stands in place of password and one-time code.
    return msgspec.structs.replace(person, staff_checked=person.is_staff)


async def staff(conn: Connection) -> list[Account]:
    return [_account(row) for row in await conn.fetch(_SQL.staff)]


async def take_roles(conn: Connection, account_id: int, roles: Iterable[Role], at: datetime | None) -> list[Role]:
    taken = [Role(row["role"]) for row in await conn.fetch(_SQL.take_roles, account_id, list(roles))]
    if taken:
        await conn.execute(_SQL.revoke_role_tokens, account_id, taken, at)
        await conn.execute(_SQL.drop_credential, account_id)
        await conn.execute(_SQL.end_staff_checks, account_id)
    return taken


async def revoke_token(conn: Connection, token_hash: bytes, at: datetime | None) -> bool:
    return await conn.fetchval(_SQL.revoke_token, token_hash, at) is not None


async def purge(conn: Connection, at: datetime | None) -> int:
    removed: int = await conn.fetchval(_SQL.purge, at)
    return removed
