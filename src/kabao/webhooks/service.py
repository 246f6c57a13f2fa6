"""The use cases of webhooks: endpoints for who owns the shop, and the jobs that write messages and send them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, Protocol

from kabao.kernel import Clock, IdSource, Refusal, Refused, format_ref
from kabao.outgoing import signature
from kabao.postgres import Connection, Database
from kabao.shops import Owner, shop_ref
from kabao.webhooks import rules, store
from kabao.webhooks.model import Delivery, DeliveryState, Endpoint, EndpointState, Leased, NewSecret

LEASE: Final = timedelta(seconds=120)
MARGIN: Final = timedelta(seconds=2)
"""Between a transaction's beginning and the server's list of what runs showing it."""
AT_ONCE: Final = 8
OF_EACH: Final = 2
LOG_LINES: Final = 50
NOT_FOUND: Final = Refused(Refusal.NOT_FOUND)
TURNED_OFF: Final = "店铺的回调地址连续 3 天收不到消息，已停用。修好后到「回调」里重新开启"

Send = Callable[[str, bytes, str], Awaitable[int | str]]
"""Posts a body with its signature to an address; answers the status, or why there was none."""


class Notices(Protocol):
    """Tells somebody that something happened, in the caller's transaction."""

    async def tell(self, conn: Connection, account_id: int, kind: str, subject: str, link: str, /) -> object:
        """Leave a notice; `link` is a path of this site."""
        ...


class WebhookService:
    """Endpoints and their messages. `key` is the server's; secrets and ids are made from it."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        notices: Notices,
        send: Send,
        key: bytes,
        margin: timedelta = MARGIN,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._notices = notices
        self._send = send
        self._key = key
        self._margin = margin

    # ---- the owner's

    async def endpoints(self, owner: Owner, shop_id: int) -> list[Endpoint] | Refused:
        """List a shop's endpoints for its owner; NOT_FOUND for everybody else."""
        async with self._database.connection() as conn:
            if await store.owner(conn, shop_id) != owner.account_id:
                return NOT_FOUND
            return await store.endpoints(conn, shop_id, self._clock.instant())

    async def endpoint(self, owner: Owner, shop_id: int, endpoint_id: int) -> Endpoint | Refused:
        """Return one of a shop's endpoints for its owner; NOT_FOUND for everybody else."""
        async with self._database.connection() as conn:
            return await self._own(conn, owner, shop_id, endpoint_id)

    async def add(self, owner: Owner, shop_id: int, url: str) -> NewSecret | Refused:
        """Add an endpoint; its secret is answered this once. Refuses NOT_FOUND, INVALID_FIELDS (url)."""
        at, endpoint_id, fault = self._clock.instant(), self._ids.next(), rules.url_fault(url)
        async with self._database.transaction() as conn:
            if await store.owner(conn, shop_id) != owner.account_id:
                return NOT_FOUND
            if fault is not None:
                return Refused(Refusal.INVALID_FIELDS, {"url": fault})
            if not await store.add_endpoint(conn, shop_id, endpoint_id, url, rules.ENDPOINTS_AT_MOST, at):
                why = f"这个地址已经有了，或者已经有 {rules.ENDPOINTS_AT_MOST} 个地址。"
                return Refused(Refusal.INVALID_FIELDS, {"url": why})
            [made] = await store.endpoints(conn, shop_id, at, endpoint_id)
        return self._with_secret(made)

    async def rotate(self, owner: Owner, shop_id: int, endpoint_id: int) -> NewSecret | Refused:
        """Make a new secret; the old one signs beside it for 24 hours. Refuses NOT_FOUND, WEBHOOK_ROTATING."""
        at = self._clock.instant()
        async with self._database.transaction() as conn:
            found = await self._own(conn, owner, shop_id, endpoint_id)
            if isinstance(found, Refused):
                return found
            if not await store.rotate(conn, shop_id, endpoint_id, rules.OLD_SECRET_LIVES, at):
                return Refused(Refusal.WEBHOOK_ROTATING)
            [made] = await store.endpoints(conn, shop_id, at, endpoint_id)
        return self._with_secret(made)

    async def end_previous(self, owner: Owner, shop_id: int, endpoint_id: int) -> Refused | None:
        """End the secret before this one at once. Refuses NOT_FOUND."""
        async with self._database.transaction() as conn:
            found = await self._own(conn, owner, shop_id, endpoint_id)
            if isinstance(found, Refused):
                return found
            await store.end_previous(conn, shop_id, endpoint_id)
        return None

    async def turn(self, owner: Owner, shop_id: int, endpoint_id: int, *, on: bool) -> Refused | None:
        """Let events from now on go to an endpoint, or stop it and drop what waits. Refuses NOT_FOUND."""
        at = self._clock.instant()
        async with self._database.transaction() as conn:
            found = await self._own(conn, owner, shop_id, endpoint_id)
            if isinstance(found, Refused):
                return found
            if on:
                await store.turn_on(conn, shop_id, endpoint_id, at)
            else:
                await store.turn_off(conn, shop_id, endpoint_id, EndpointState.OFF, at)
        return None

    async def remove(self, owner: Owner, shop_id: int, endpoint_id: int) -> Refused | None:
        """Forget an endpoint with its log. Refuses NOT_FOUND."""
        async with self._database.transaction() as conn:
            found = await self._own(conn, owner, shop_id, endpoint_id)
            if isinstance(found, Refused):
                return found
            await store.remove(conn, shop_id, endpoint_id)
        return None

    async def test(self, owner: Owner, shop_id: int, endpoint_id: int) -> Refused | None:
        """Send a message that tries an endpoint. Refuses NOT_FOUND, WEBHOOK_OFF."""
        async with self._database.transaction() as conn:
            found = await self._own(conn, owner, shop_id, endpoint_id)
            if isinstance(found, Refused):
                return found
            event = f"t{self._ids.next()}"
            is_on = await store.add_test(conn, shop_id, endpoint_id, event, self._clock.instant())
        return None if is_on else Refused(Refusal.WEBHOOK_OFF)

    async def deliveries(self, owner: Owner, shop_id: int, endpoint_id: int) -> list[Delivery] | Refused:
        """List an endpoint's newest 50 messages. Refuses NOT_FOUND."""
        async with self._database.connection() as conn:
            found = await self._own(conn, owner, shop_id, endpoint_id)
            if isinstance(found, Refused):
                return found
            rows = await store.deliveries(conn, shop_id, endpoint_id, LOG_LINES)
        return [self._line(shop_id, row) for row in rows]

    async def _own(self, conn: Connection, owner: Owner, shop_id: int, endpoint_id: int) -> Endpoint | Refused:
        if await store.owner(conn, shop_id) != owner.account_id:
            return NOT_FOUND
        found = await store.endpoints(conn, shop_id, self._clock.instant(), endpoint_id)
        return found[0] if found else NOT_FOUND

    def _with_secret(self, made: Endpoint) -> NewSecret:
        return NewSecret(made, rules.secret_of(self._key, made.shop_id, made.endpoint_id, made.generation))

    def _line(self, shop_id: int, row: dict[str, Any]) -> Delivery:
        order_id, case_id = row.pop("order_id"), row.pop("case_id")
        about = case_id or order_id
        ref = "" if about is None else format_ref(shop_id, about)
        event_id = rules.event_id(self._key, shop_id, row.pop("event"))
        return Delivery(event_id=event_id, ref=ref, **row | {"state": DeliveryState(row["state"])})

    # ---- the jobs

    async def run(self) -> int:
        """Write the messages of what has happened, then send what is due; returns how many were tried."""
        await self._read_on()
        tried = 0
        while True:
            async with self._database.transaction() as conn:
                due = await store.claim(conn, LEASE, OF_EACH, AT_ONCE, self._clock.instant())
            if not due:
                return tried
            await asyncio.gather(*(self._deliver(leased) for leased in due))
            tried += len(due)

    async def forget_old(self) -> int:
        """Forget messages that ended 30 days ago; returns how many."""
        async with self._database.transaction() as conn:
            return await store.forget_old(conn, rules.KEPT_FOR, self._clock.instant())

    async def _read_on(self) -> None:
        at = self._clock.instant()
        async with self._database.transaction() as conn:
            stretch = await store.stretch(conn, self._margin, at)
            if stretch is not None and stretch[0] < stretch[1]:
                # Statements of their own: they see all that was committed before the end of the stretch was known.
                await store.tell(conn, *stretch, at)

    async def _deliver(self, leased: Leased) -> None:
        shop_id, endpoint_id = leased.shop_id, leased.endpoint_id
        body = rules.body_of(self._key, shop_id, leased.told)
        live = rules.live_generations(leased.generation, leased.previous_until, leased.now)
        secrets = [rules.secret_of(self._key, shop_id, endpoint_id, generation) for generation in live]
        answer = await self._send(leased.url, body, signature(secrets, body, leased.now))
        status, why = (answer, None) if isinstance(answer, int) else (None, answer[:200])
        async with self._database.transaction() as conn:
            await store.lock_endpoint(conn, leased)
            if status is not None and rules.is_taken(status):
                at = self._clock.instant()
                if await store.end_delivery(conn, leased, DeliveryState.SENT, status, None, at):
                    await store.arrived(conn, leased)
                return
            await self._failed(conn, leased, status, why)

    async def _failed(self, conn: Connection, leased: Leased, status: int | None, why: str | None) -> None:
        at, wait = self._clock.instant(), rules.next_try(leased)
        if wait is None:
            is_ours = await store.end_delivery(conn, leased, DeliveryState.FAILED, status, why, at)
        else:
            is_ours = await store.postpone(conn, leased, status, why, wait, at)
        if not is_ours:
            return
        await store.failed(conn, leased, rules.rest(leased.failures + 1), at)
        if not rules.is_turned_off(leased.failing_since, leased.now):
            return
        if await store.turn_off(conn, leased.shop_id, leased.endpoint_id, EndpointState.FAILED, at):
            link = f"/m/{shop_ref(leased.shop_id)}/webhooks"
            await self._notices.tell(conn, leased.owner_id, "webhook_off", TURNED_OFF, link)
