"""Paying a deposit in and asking it back, filling the reserve, and booking what the custodian says was paid."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from kabao.custody import (
    RESERVE_ACCOUNT,
    CheckoutRequest,
    Custodian,
    CustodianUnreachable,
    PaymentNotice,
    deposit_account,
    shop_of_account,
)
from kabao.deposits import store
from kabao.deposits.model import PAY_IN_LEAST, PAY_IN_MOST, DepositView, FundPayment, ReserveView
from kabao.identity import Person
from kabao.kernel import Clock, Currency, IdSource, Refusal, Refused, ShopId, format_ref, refuse
from kabao.ledger import LedgerService
from kabao.postgres import Connection, Database

MAX_STEP: Final = 60

_NOT_FOUND: Final = Refused(Refusal.NOT_FOUND)


async def take_fund_payment(
    conn: Connection, provider: str, notice: PaymentNotice, now: datetime | None
) -> FundPayment | Refused:
    """Book a payment into a shop's deposit or the reserve, exactly once; refuses NOT_FOUND, NOTICE_CONTRADICTS.

    In another currency than the account's it is sent back whole.
    """
    shop_id = shop_of_account(notice.into_account)
    row = await store.take(
        conn,
        shop_id,
        provider,
        notice.payment_id,
        notice.into_account,
        notice.amount_minor,
        notice.currency,
        now,
    )
    match row["outcome"]:
        case "unknown_shop":
            return _NOT_FOUND
        case "contradicts_earlier_notice":
            return Refused(Refusal.NOTICE_CONTRADICTS)
        case outcome:
            return FundPayment(shop_id=ShopId(shop_id), outcome=outcome, replayed=row["replayed"])


class DepositService:
    """Shows, fills and gives back deposits; ``kick`` is called after a step that left an instruction."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        custodian: Custodian,
        ledger: LedgerService,
        kick: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._custodian = custodian
        self._ledger = ledger
        self._kick = kick

    async def deposit(self, owner: Person, shop_id: ShopId) -> DepositView | Refused:
        """Show a shop's deposit and its statement to its owner; NOT_FOUND for everybody else."""
        async with self._database.connection() as conn:
            if await store.owner_of(conn, shop_id) != owner.account_id:
                return _NOT_FOUND
            row = await store.deposit(conn, shop_id, self._clock.instant())
        statement = await self._ledger.statement(shop_id)
        return DepositView(shop_id=shop_id, statement=statement, **dict(row))

    async def pay_in(self, owner: Person, shop_id: ShopId, amount_minor: int, return_path: str) -> str | Refused:
        """Return the path of the custodian's page where the deposit is paid; each call is a payment of its own.

        Refusals: not_found, deposit_out_of_range (outside ¥1 to ¥1,000,000), custodian_unreachable.
        """
        async with self._database.connection() as conn:
            if await store.owner_of(conn, shop_id) != owner.account_id:
                return _NOT_FOUND
        ref = format_ref(shop_id, self._ids.next())
        return await self._checkout(ref, deposit_account(shop_id), "店铺保证金", amount_minor, return_path)

    async def pay_reserve_in(self, amount_minor: int) -> str | Refused:
        """Return the path where the operator pays into the platform's reserve; refusals as pay_in.

        For the command line of who runs the platform; no page leads here.
        """
        return await self._checkout(
            f"{RESERVE_ACCOUNT}-{self._ids.next()}", RESERVE_ACCOUNT, "平台备付", amount_minor, "/"
        )

    async def give_back(self, owner: Person, shop_id: ShopId, amount_minor: int, step: str) -> int | Refused:
        """Send part or all of a deposit back to where it was paid from; answers what is left, in minor units.

        ``step`` (1..60 characters, made for one wish) makes a repeat answer alike. Refusals: not_found,
        deposit_out_of_range, deposit_bound (money held, an open case, a debt, an order inside its claim days).
        """
        if not 0 < len(step) <= MAX_STEP or not step.isprintable():
            return Refused(Refusal.IDEMPOTENCY_KEY_MISSING)
        now = self._clock.instant()
        async with self._database.transaction() as conn:
            row = await store.give_back(conn, shop_id, owner.account_id, step, amount_minor, now)
        if row["refusal"]:
            return refuse(row["refusal"])
        self._kick()
        return int(row["deposit_minor"])

    async def reserve(self) -> ReserveView:
        """Show the platform's reserve."""
        async with self._database.connection() as conn:
            return await store.reserve(conn)

    async def _checkout(
        self, ref: str, account: str, subject: str, amount_minor: int, return_path: str
    ) -> str | Refused:
        if not PAY_IN_LEAST <= amount_minor <= PAY_IN_MOST:
            return Refused(Refusal.DEPOSIT_OUT_OF_RANGE)
        request = CheckoutRequest(
            merchant_ref=ref,
            subject=subject,
            amount_minor=amount_minor,
            currency=Currency.CNY,
            return_path=return_path,
            into_account=account,
        )
        try:
            return (await self._custodian.checkout(request)).pay_path
        except CustodianUnreachable:
            return Refused(Refusal.CUSTODIAN_UNREACHABLE)
