"""A simulated institution with books of its own, so that reconciliation is real. No real money moves here."""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kabao.custody import store
from kabao.custody.model import (
    RESERVE_ACCOUNT,
    TO_MERCHANT,
    ChargebackNotice,
    Checkout,
    CheckoutRequest,
    Instruction,
    PaymentNotice,
    SandboxCheckout,
)
from kabao.custody.ports import ChargedBack, CustodianRefused, CustodianUnreachable, PayeeGone
from kabao.kernel import Clock, IdSource, Refusal, canonical_bytes, format_ref
from kabao.postgres import Database, DatabaseUnavailable

CHECKOUT_PATH: Final = "/sandbox-custodian/checkout/"
RETRY_SECONDS: Final = (5, 15, 60, 300, 900, 3600)

CLOSED: Final = "account closed"
TAKEN_BACK: Final = "charged back"

NoticeSink = Callable[[bytes, str], Awaitable[bool]]
"""Takes a signed notice; True where it was booked (or had been before)."""


class SandboxInstitution:
    """Takes payments, signs notices, executes instructions, and never pays out more than was paid in.

    ``secret`` is 32 bytes; the signing key derives from it.
    """

    provider = "sandbox"

    def __init__(self, *, database: Database, clock: Clock, ids: IdSource, secret: bytes) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._secret = secret
        self._signer = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"sandbox notices" + secret).digest())
        self._verifier = self._signer.public_key()

    async def checkout(self, request: CheckoutRequest) -> Checkout:
        """Open the checkout of a merchant's reference, or find it again. Raises CustodianUnreachable."""
        mark = hmac.digest(self._secret, f"checkout|{request.merchant_ref}".encode(), "sha256")
        checkout_id = base64.b32encode(mark[:15]).decode().lower()
        try:
            async with self._database.connection() as conn:
                await store.open_checkout(conn, checkout_id, request)
        except DatabaseUnavailable as lost:
            raise CustodianUnreachable from lost
        return Checkout(checkout_id, CHECKOUT_PATH + checkout_id)

    async def find_checkout(self, checkout_id: str) -> SandboxCheckout | None:
        """Return a checkout as the institution's page shows it."""
        async with self._database.connection() as conn:
            return await store.checkout(conn, checkout_id)

    async def pay(
        self, checkout_id: str, *, amount_minor: int | None = None, currency: str | None = None, payer: str = ""
    ) -> str | None:
        """Book a payment and return its id; None where there is no such checkout.

        A payer may pay twice or pay a wrong amount, as with a real institution; the notice says what was paid. What the
        ``payer`` calls the account becomes a number that says nothing but is the same each time; '' tells no account.
        """
        number = self._ids.next()
        payment_id = "SB" + format_ref(1, number).partition("-")[2]
        async with self._database.connection() as conn:
            return await store.record_payment(
                conn, payment_id, checkout_id, amount_minor, currency, self._payer(payer), self._clock.instant()
            )

    def _payer(self, named: str) -> str:
        mark = hmac.digest(self._secret, f"payer|{named}".encode(), "sha256")
        return "PA" + base64.b32encode(mark[:15]).decode() if named else ""

    async def notify(self, payment_id: str, sink: NoticeSink) -> bool:
        """Send one payment's notice now; a failure leaves it to deliver_notices."""
        async with self._database.connection() as conn:
            notice = await store.one_notice(conn, payment_id)
        return notice is not None and await self._send(notice, sink, attempt=0)

    async def deliver_notices(self, sink: NoticeSink, limit: int = 50) -> int:
        """Send the notices that are due, oldest first, until each is confirmed; returns how many were."""
        async with self._database.transaction() as conn:
            due = await store.due_notices(conn, self._clock.instant(), limit)
        taken = 0
        for notice, attempt in due:
            taken += await self._send(notice, sink, attempt=attempt)
        async with self._database.transaction() as conn:
            backs = await store.due_chargebacks(conn, self._clock.instant(), limit)
        for back, attempt in backs:
            taken += await self._send(back, sink, attempt=attempt)
        return taken

    async def charge_back(self, payment_id: str) -> ChargebackNotice | None:
        """Let the payer's bank take back what is left of a payment; once a payment, a repeat answers what was taken.

        None for no payment, and for one that went into an account. Its notice is sent with the others, after the
        payment's own.
        """
        chargeback_id = "SC" + format_ref(1, self._ids.next()).partition("-")[2]
        async with self._database.transaction() as conn:
            payment = await store.lock_payment(conn, payment_id)
            if payment is None or payment[2]:
                return None
            left = payment[0] - await store.paid_out(conn, payment_id)
            await store.charge_back(conn, payment_id, chargeback_id, left, self._clock.instant())
            return await store.chargeback(conn, payment_id)

    async def charge_back_all(self, checkout_id: str) -> int:
        """Let the bank take back every payment of a checkout; returns how many."""
        async with self._database.connection() as conn:
            payers = await store.payers_of(conn, checkout_id)
        return len([payer for payer in payers if await self.charge_back(payer) is not None])

    def sign(self, body: bytes) -> str:
        """Sign a notice body; the signature is base64 of Ed25519 (RFC 8032)."""
        return base64.b64encode(self._signer.sign(body)).decode()

    def notice_body(self, notice: PaymentNotice | ChargebackNotice) -> bytes:
        """Return the canonical body that is signed."""
        return canonical_bytes(msgspec.to_builtins(notice))

    def verify_notice(self, body: bytes, signature: str) -> PaymentNotice | ChargebackNotice | Refusal:
        """Return the notice, SIGNATURE_WRONG where another signed it, or NOTICE_MALFORMED for a value out of range."""
        try:
            self._verifier.verify(base64.b64decode(signature, validate=True), body)
        except (InvalidSignature, ValueError):
            return Refusal.SIGNATURE_WRONG
        try:
            named = msgspec.json.decode(body)
            if isinstance(named, dict) and "kind" in named:
                return msgspec.json.decode(body, type=ChargebackNotice)
            return msgspec.json.decode(body, type=PaymentNotice)
        except (ValueError, RecursionError, msgspec.DecodeError):
            return Refusal.NOTICE_MALFORMED

    async def carry_out(self, instruction: Instruction) -> None:
        """Pay out once.

        Raises CustodianRefused for more than is left, PayeeGone where the payee's account is closed and ChargedBack
        where the payment was taken back (both from then on for this instruction always), CustodianUnreachable without
        an answer.
        """
        try:
            async with self._database.transaction() as conn:
                gone = await self._book(conn, instruction, self._clock.instant())
        except DatabaseUnavailable as lost:
            raise CustodianUnreachable from lost
        if gone is not None:
            raise ChargedBack(gone) if gone == TAKEN_BACK else PayeeGone(gone)

    async def balance(self, account: str, currency: str = "CNY") -> int:
        """Return what lies in one of the institution's accounts, in minor units."""
        async with self._database.connection() as conn:
            return await store.account_balance(conn, account, currency)

    async def close_account(self, account: str) -> None:
        """Close an account: what is sent to it is refused. A payment's id stands for its payer's account."""
        async with self._database.connection() as conn:
            await store.close_account(conn, account, self._clock.instant())

    async def close_payers(self, checkout_id: str) -> int:
        """Close every account that paid a checkout; returns how many."""
        async with self._database.transaction() as conn:
            payers = await store.payers_of(conn, checkout_id)
            for payer in payers:
                await store.close_account(conn, payer, self._clock.instant())
            return len(payers)

    async def _book(self, conn: store.Connection, instruction: Instruction, now: datetime | None) -> str | None:
        """Book a payout; answers why it is refused for good, in a transaction that keeps that answer."""
        payment = await store.lock_payment(conn, instruction.payment_id)
        if payment is None:
            raise CustodianRefused("no such payment")
        booked = await store.booking(conn, instruction.instruction_id)
        if booked is not None:
            if booked != instruction:
                raise CustodianRefused("this instruction id was used for another payout")
            return None
        refused = await store.refusal(conn, instruction.instruction_id)
        if refused is not None:
            return refused
        if not instruction.from_account and await store.chargeback(conn, instruction.payment_id) is not None:
            await store.refuse(conn, instruction.instruction_id, TAKEN_BACK, now)
            return TAKEN_BACK
        if instruction.kind not in TO_MERCHANT and await store.is_closed(
            conn, instruction.to_account or instruction.payment_id
        ):
            await store.refuse(conn, instruction.instruction_id, CLOSED, now)
            return CLOSED
        await self._take(conn, instruction, *payment)
        if instruction.recoup_minor:
            await store.put_into_account(conn, RESERVE_ACCOUNT, instruction.currency, instruction.recoup_minor)
        await store.book(conn, instruction, now)
        return None

    async def _take(
        self, conn: store.Connection, instruction: Instruction, paid_minor: int, currency: str, into_account: str
    ) -> None:
        amount_minor = instruction.amount_minor
        if instruction.from_account:
            taken = await store.take_from_account(conn, instruction.from_account, instruction.currency, amount_minor)
            if not taken:
                raise CustodianRefused("more than is left in the account")
            return
        left = paid_minor - await store.paid_out(conn, instruction.payment_id)
        if into_account or instruction.currency != currency or amount_minor > left:
            raise CustodianRefused("more than is left of the payment")

    async def _send(self, notice: PaymentNotice | ChargebackNotice, sink: NoticeSink, *, attempt: int) -> bool:
        body = self.notice_body(notice)
        try:
            taken = await sink(body, self.sign(body))
        except DatabaseUnavailable:
            return False  # The lease runs out and the notice is due again.
        async with self._database.connection() as conn:
            if taken:
                await store.notice_taken(conn, notice, self._clock.instant())
            else:
                wait = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]
                await store.notice_failed(conn, notice, self._clock.instant(), wait)
        return taken
