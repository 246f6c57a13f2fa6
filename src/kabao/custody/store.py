"""The only file that executes the simulated institution's SQL."""

from datetime import UTC, datetime
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg

from kabao.custody.model import ChargebackNotice, CheckoutRequest, Instruction, PaymentNotice, SandboxCheckout
from kabao.postgres import Connection, load_queries

__all__ = ["Connection"]

_SQL: Final = load_queries("kabao.custody")

Notice: TypeAlias = PaymentNotice | ChargebackNotice


async def open_checkout(conn: Connection, checkout_id: str, request: CheckoutRequest) -> None:
    """Open a checkout, or leave the one that exists."""
    await conn.execute(
        _SQL["open_checkout"],
        checkout_id,
        request.merchant_ref,
        request.subject,
        request.amount_minor,
        request.currency,
        request.return_path,
        request.into_account,
    )


async def checkout(conn: Connection, checkout_id: str) -> SandboxCheckout | None:
    """Return one checkout with the time of its first payment."""
    row = await conn.fetchrow(_SQL["checkout"], checkout_id)
    return None if row is None else SandboxCheckout(**dict(row))


async def record_payment(
    conn: Connection,
    payment_id: str,
    checkout_id: str,
    amount: int | None,
    currency: str | None,
    payer: str,
    now: datetime | None,
) -> str | None:
    """Book what a payer paid; None where there is no such checkout."""
    paid = (payment_id, checkout_id, amount, currency, now, payer)
    made: str | None = await conn.fetchval(_SQL["record_payment"], *paid)
    return made


async def due_notices(conn: Connection, now: datetime | None, limit: int) -> list[tuple[PaymentNotice, int]]:
    """Lease the notices that are due; each with its attempt number, from 1."""
    return [(_notice(row), row["attempt"]) for row in await conn.fetch(_SQL["due_notices"], now, limit)]


async def one_notice(conn: Connection, payment_id: str) -> PaymentNotice | None:
    """Return the notice of one payment."""
    row = await conn.fetchrow(_SQL["one_notice"], payment_id)
    return None if row is None else _notice(row)


async def notice_taken(conn: Connection, notice: Notice, now: datetime | None) -> None:
    """Record that the receiver confirmed."""
    await conn.execute(_SQL[_named("notice_taken", notice)], notice.payment_id, now)


async def notice_failed(conn: Connection, notice: Notice, now: datetime | None, wait_seconds: int) -> None:
    """Record that the receiver did not confirm."""
    await conn.execute(_SQL[_named("notice_failed", notice)], notice.payment_id, now, wait_seconds)


async def charge_back(
    conn: Connection, payment_id: str, chargeback_id: str, taken_minor: int, now: datetime | None
) -> None:
    """Book what a payer's bank took back of a payment; a repeat changes nothing."""
    await conn.execute(_SQL["charge_back"], payment_id, chargeback_id, taken_minor, now)


async def chargeback(conn: Connection, payment_id: str) -> ChargebackNotice | None:
    """Return the chargeback of a payment."""
    row = await conn.fetchrow(_SQL["chargeback"], payment_id)
    return None if row is None else _back(row)


async def due_chargebacks(conn: Connection, now: datetime | None, limit: int) -> list[tuple[ChargebackNotice, int]]:
    """Lease the chargebacks whose notice is due; each with its attempt number, from 1."""
    return [(_back(row), row["attempt"]) for row in await conn.fetch(_SQL["due_chargebacks"], now, limit)]


async def lock_payment(conn: Connection, payment_id: str) -> tuple[int, str, str] | None:
    """Lock a payment; returns amount, currency and the account it went into ('' where it stands for itself)."""
    row = await conn.fetchrow(_SQL["lock_payment"], payment_id)
    return None if row is None else (row["amount_minor"], row["currency"], row["into_account"])


async def booking(conn: Connection, instruction_id: UUID) -> Instruction | None:
    """Return what was booked under an instruction id."""
    row = await conn.fetchrow(_SQL["booking"], instruction_id)
    return None if row is None else Instruction(instruction_id=instruction_id, **dict(row))


async def paid_out(conn: Connection, payment_id: str) -> int:
    """Return how much has been paid out of a payment itself, in minor units."""
    total: int = await conn.fetchval(_SQL["paid_out"], payment_id)
    return total


async def book(conn: Connection, instruction: Instruction, now: datetime | None) -> None:
    """Book one payout."""
    await conn.execute(
        _SQL["book"],
        instruction.instruction_id,
        instruction.payment_id,
        instruction.kind,
        instruction.amount_minor,
        instruction.fee_minor,
        instruction.currency,
        instruction.from_account,
        instruction.to_account,
        instruction.recoup_minor,
        now,
    )


async def take_from_account(conn: Connection, account: str, currency: str, amount_minor: int) -> bool:
    """Take money out of an account; False where it has not that much."""
    return await conn.fetchval(_SQL["take_from_account"], account, currency, amount_minor) is not None


async def put_into_account(conn: Connection, account: str, currency: str, amount_minor: int) -> None:
    """Put money into an account."""
    await conn.execute(_SQL["put_into_account"], account, currency, amount_minor)


async def account_balance(conn: Connection, account: str, currency: str) -> int:
    """Return what lies in an account, in minor units."""
    return await conn.fetchval(_SQL["account_balance"], account, currency) or 0


async def is_closed(conn: Connection, account: str) -> bool:
    """Tell whether an account takes no money."""
    closed: bool = await conn.fetchval(_SQL["is_closed"], account)
    return closed


async def close_account(conn: Connection, account: str, now: datetime | None) -> None:
    """Close a payer's account."""
    await conn.execute(_SQL["close_account"], account, now)


async def payers_of(conn: Connection, checkout_id: str) -> list[str]:
    """Return the accounts that paid a checkout."""
    return [row["payment_id"] for row in await conn.fetch(_SQL["payers_of"], checkout_id)]


async def refusal(conn: Connection, instruction_id: UUID) -> str | None:
    """Return why an instruction was refused for good."""
    why: str | None = await conn.fetchval(_SQL["refusal"], instruction_id)
    return why


async def refuse(conn: Connection, instruction_id: UUID, why: str, now: datetime | None) -> None:
    """Refuse an instruction for good."""
    await conn.execute(_SQL["refuse"], instruction_id, why, now)


def _notice(row: asyncpg.Record) -> PaymentNotice:
    return PaymentNotice(
        payment_id=row["payment_id"],
        merchant_ref=row["merchant_ref"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        paid_at=row["paid_at"].astimezone(UTC).isoformat(),
        into_account=row["into_account"],
        payer=row["payer"],
    )


def _back(row: asyncpg.Record) -> ChargebackNotice:
    return ChargebackNotice(
        kind="chargeback",
        chargeback_id=row["chargeback_id"],
        payment_id=row["payment_id"],
        merchant_ref=row["merchant_ref"],
        taken_minor=row["taken_minor"],
        currency=row["currency"],
        taken_at=row["taken_at"].astimezone(UTC).isoformat(),
    )


def _named(query: str, notice: Notice) -> str:
    return f"chargeback_{query}" if isinstance(notice, ChargebackNotice) else query
