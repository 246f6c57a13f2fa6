"""The custodian in the walk over cases: it pays what it was asked to, and a payer's bank takes a payment back."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from casemodel import OPEN, Model
from dispute import Desk
from kabao.custody import RESERVE_ACCOUNT, CheckoutRequest, SandboxInstitution
from kabao.kernel import IdSource, Refusal, Refused
from kabao.orders import InstructionRunner, OrderService
from market import PHONE
from orderdesk import SECRET, open_nothing

PRICE = 9650


class Bank:
    """A simulated institution beside the desk of a walk, with its signed notices and its answers."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        base: Any = {"database": desk.database, "clock": desk.clock}
        self.institution = SandboxInstitution(**base, ids=IdSource(), secret=SECRET)
        at_it: Any = {**base, "custodian": self.institution, "notices": desk.notices}
        self.orders = OrderService(**at_it, ids=IdSource(), open_key=open_nothing, payer_key=b"p" * 32)
        self.orders.chargebacks.cases = desk.ladder.bank
        self.runner = InstructionRunner(**at_it)

    async def sink(self, body: bytes, signature: str) -> bool:
        return not isinstance(await self.orders.take_notice(body, signature), Refused)

    async def fill_reserve(self, name: str, amount_minor: int) -> None:
        """Let the operator pay into the reserve."""
        request = CheckoutRequest(
            merchant_ref=f"reserve-{name}",
            subject="平台备付",
            amount_minor=amount_minor,
            currency="CNY",
            return_path="/",
            into_account=RESERVE_ACCOUNT,
        )
        payment = await self.institution.pay((await self.institution.checkout(request)).checkout_id)
        assert payment is not None
        assert await self.institution.notify(payment, self.sink)

    async def pay(self) -> None:
        """Pay what is due, and what waited for that."""
        while await self.runner.run(100):
            pass

    async def take_back(self, order_id: int) -> None:
        """Let the payer's bank take an order's payment back, and tell."""
        payment = await self.desk.database.fetchval("SELECT payment_id FROM escrow WHERE order_id = $1", order_id)
        assert await self.institution.charge_back(payment) is not None
        await self.institution.deliver_notices(self.sink)

    async def order(self, how: str) -> str:
        """Buy what the case will be about: whole, a half refunded before (part), or released (after)."""
        ref = self.desk.order_ref(await self.desk.bought(2 if how == "part" else 1, opened=how != "part"))
        buyer = self.desk.market.buyer
        if how == "part":
            assert not isinstance(await self.orders.reveal(buyer, ref, [1], PHONE), Refused)
            assert not isinstance(await self.orders.refund_sealed(buyer, ref), Refused)
        if how == "after":
            assert not isinstance(await self.orders.confirm(buyer, ref), Refused)
        return ref


WAYS: dict[str, Sequence[Callable[[Any], object]]] = {
    "negotiation": (),
    "settled": (settle := (lambda walk: walk.make_offer("merchant", 4000), lambda walk: walk.accept("buyer", 0))),
    "withdrawn": (withdraw := lambda walk: walk.withdraw(0),),
    "silence: ruled_open": (lambda walk: walk.time_passes(24),),
    "support": (rise := lambda walk: (walk.answer(), walk.escalate(walk.m.by)),),
    "handed in: support": (rise, lambda walk: walk.decide(4000, 0, replaces=False)),
    "support: settled": (rise, *settle),
    "support: withdrawn": (rise, withdraw),
    "support: routed_out": (rise, route_out := lambda walk: walk.route_out(0)),
    "support: ruled_open": (rise, decide := lambda walk: walk.decide_and_let_it_be_known(4000, 0, replaces=False)),
    "panel": (rise, pass_on := lambda walk: walk.pass_on()),
    "late: panel": (rise, pass_on, three_days := lambda walk: walk.time_passes(72)),
    "called: panel": (rise, route_out, lambda walk: walk.come_back(is_called=True)),
    "panel: settled": (rise, pass_on, *settle),
    "panel: withdrawn": (rise, pass_on, withdraw),
    "panel: routed_out": (rise, pass_on, route_out),
    "panel: ruled_open": (rise, pass_on, decide),
    "review": (rise, decide, doubt := lambda walk: walk.ask_review("merchant")),
    "late: review": (rise, decide, doubt, three_days),
    "waived: executed": (rise, decide, waive := lambda walk: (walk.waive("merchant"), walk.waive("buyer"))),
    "review: executed": (rise, decide, doubt, decide),
    "at once: green": (),
    "at once: review": (doubt,),
    "at once: executed": (waive,),
}
"""How a case that has just been opened comes to where a bank meets it; the last word is its stage."""


class BankRules:
    """What the custodian does to the case of a walk."""

    m: Model
    desk: Desk
    bank: Bank
    cases_opened: int

    def wait(self, work: Any) -> Any:
        raise NotImplementedError

    @rule(seldom=st.integers(0, 2))
    def custodian_pays(self, seldom: int) -> None:
        if not seldom:
            self.wait(self.bank.pay())
            self.m.is_paid = True

    @precondition(lambda self: not self.m.is_taken and self.cases_opened > 1)
    @rule(seldom=st.integers(0, 7))
    def bank_takes_back(self, seldom: int) -> None:
        """Let the payer's bank take the payment back, wherever the case stands; seldom, or no case would get far."""
        m = self.m
        if seldom:
            return
        was_open = m.stage in OPEN and not m.is_green
        m.is_taken, m.was_held = True, m.is_held
        self.wait(self.bank.take_back(m.order_id))
        if m.how == "after" and not m.is_paid:
            m.refunded = 0
        if was_open:
            mover = self.desk.market.buyer if m.by == "buyer" else self.desk.market.owner
            assert self.wait(self.desk.cases.withdraw(mover, m.ref)) == Refused(Refusal.CASE_CHARGED_BACK)
            m.goes("charged_back", "nobody", None)

    def bank_meets_the_case(self, where: str, *, is_paid: bool) -> None:
        """Bring a case that has just been opened on to one place; there the bank comes."""
        for step in WAYS[where]:
            step(self)
        assert self.m.stage == where.rsplit(maxsplit=1)[-1], self.m
        if is_paid:
            self.custodian_pays(0)
        self.bank_takes_back(0)
