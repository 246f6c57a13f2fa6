"""What a case needs from elsewhere: the orders' money steps and the notices to people."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol

from kabao.identity.model import Person
from kabao.kernel import OrderId, Refused, ShopId
from kabao.orders.model import DamagesPaid, OrderView, Replaced, Resolved
from kabao.postgres import Connection


class Orders(Protocol):
    """The steps of an order that a case takes; the first five join the caller's transaction.

    A step that answers `Refused` has written nothing. Each locks the escrow row, then the order.
    """

    async def freeze(
        self, conn: Connection, shop_id: ShopId, order_id: OrderId, actor_id: int, actor_role: str, /
    ) -> int | Refused:
        """Stop the release clock; answers what is held, in minor units."""
        ...

    async def unfreeze(
        self,
        conn: Connection,
        shop_id: ShopId,
        order_id: OrderId,
        actor_id: int | None,
        actor_role: str,
        least: timedelta,
        /,
    ) -> datetime | Refused:
        """Let the release clock run on, at least `least`; answers when it is due."""
        ...

    async def resolve(
        self,
        conn: Connection,
        shop_id: ShopId,
        order_id: OrderId,
        refund_minor: int,
        actor_id: int | None,
        actor_role: str,
        why: Literal["settled", "ruled"],
        rulebook_version: str | None,
        evidence_digests: Sequence[bytes],
        /,
    ) -> Resolved | Refused:
        """Refund this much and release the rest less the fee, or answer `Refused`.

        The order's history keeps which rulebook bound and which files were there.
        """
        ...

    async def reverse(
        self,
        conn: Connection,
        shop_id: ShopId,
        order_id: OrderId,
        amount_minor: int,
        actor_id: int | None,
        actor_role: str,
        rulebook_version: str | None,
        evidence_digests: Sequence[bytes],
        /,
    ) -> int | Refused:
        """Pay the merchant out of the platform's reserve for a refund that stays with the buyer."""
        ...

    async def replace(
        self, conn: Connection, shop_id: ShopId, order_id: OrderId, actor_id: int | None, actor_role: str, /
    ) -> Replaced | Refused:
        """Give new sealed keys for the opened ones and start the clock afresh, or answer `Refused`."""
        ...

    async def award_damages(
        self,
        conn: Connection,
        shop_id: ShopId,
        order_id: OrderId,
        step: str,
        amount_minor: int,
        actor_id: int | None,
        actor_role: str,
        rulebook_version: str | None,
        evidence_digests: Sequence[bytes],
        /,
    ) -> DamagesPaid | Refused:
        """Give damages beyond the price, once a step: out of the deposit as far as it reaches, the rest is owed."""
        ...

    async def order(self, person: Person, ref: str, conn: "Connection | None" = None, /) -> OrderView | Refused:
        """The order as this person sees it; in the caller's transaction where one is given."""
        ...


class Notices(Protocol):
    """Tells somebody that something happened, in the caller's transaction."""

    async def tell(self, conn: Connection, account_id: int, kind: str, subject: str, link: str, /) -> object:
        """Leave a notice; `link` is a path of this site."""
        ...
