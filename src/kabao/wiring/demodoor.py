"""The demo's start page, as its page asks for it: who may be walked as, how to get in, where payments are made."""

import secrets
from hmac import compare_digest

from kabao.custody import CheckoutRequest
from kabao.identity import Person, Role
from kabao.kernel import AccountId, Refused
from kabao.web.services import DemoPayment, DemoRole
from kabao.wiring import market
from kabao.wiring.app import App
from kabao.wiring.demo import DemoMarket

UNPAID = frozenset({"placed", "expired", "cancelled"})


class Door:
    """Opens the start page to whoever has its address, which is new at each start and printed in the terminal."""

    def __init__(self, app: App, access: DemoMarket) -> None:
        self._app = app
        self._links = access.links
        self._passwords = {staff.account_id: staff.password for staff in access.staff}
        self._key = secrets.token_urlsafe(24)

    @property
    def path(self) -> str:
        """The address of the start page; secret."""
        return f"/demo/{self._key}"

    def opens(self, key: str) -> bool:
        """Tell whether this is the key."""
        return compare_digest(key.encode(), self._key.encode())

    async def roles(self) -> list[DemoRole]:
        """List who may be walked as, with the password and the one-time code of this moment for staff."""
        return [
            DemoRole(
                number=number,
                role=link.role,
                name=link.name,
                hint=market.HINTS.get(link.name, ""),
                password=self._passwords.get(link.account_id, ""),
                code=await self._code(link.account_id),
            )
            for number, link in enumerate(self._links)
        ]

    async def link(self, number: int) -> str | None:
        """Make a fresh sign-in link for one of them, good once; None where there is none of this number."""
        if not 0 <= number < len(self._links):
            return None
        one = self._links[number]
        return f"/sign-in/link/{await self._app.identity.make_link(one.account_id, one.role)}"

    async def payments(self) -> list[DemoPayment]:
        """List the orders that the two buyers have paid, with the institution's own page of each."""
        found = []
        for link in self._links:
            if link.role is not Role.BUYER:
                continue
            buyer = Person(
                account_id=link.account_id,
                display_name=link.name,
                phone_masked="",
                roles=frozenset({Role.BUYER}),
            )
            for order in await self._app.orders.my_orders(buyer):
                if order.state in UNPAID:
                    continue
                # A checkout is found again by the reference of its order.
                asked = CheckoutRequest(
                    merchant_ref=order.ref,
                    subject=order.title,
                    amount_minor=order.amount_minor,
                    currency="CNY",
                    return_path=f"/o/{order.ref}",
                )
                path = (await self._app.custody.checkout(asked)).pay_path
                found.append(DemoPayment(buyer=link.name, ref=order.ref, title=order.title, path=path))
        return found

    async def _code(self, account_id: AccountId) -> str:
        if account_id not in self._passwords:
            return ""
        code = await self._app.identity.staff_code(account_id)
        return "" if isinstance(code, Refused) else code
