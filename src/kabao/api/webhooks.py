"""Where a shop's programs hear of its orders and cases; docs/webhooks.md says what is sent and how it is signed."""

from datetime import datetime
from typing import Annotated, Self

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from kabao.api.documents import READING, STEP
from kabao.api.entry import ACTS_AS, MERCHANT, Caller, reference, services_of, slow_down
from kabao.api.inputs import Input
from kabao.api.problems import granted, refuse_now
from kabao.identity import Act
from kabao.kernel import Refusal
from kabao.shops import parse_shop_ref
from kabao.webhooks import Delivery, DeliveryState, Endpoint, EndpointState, NewSecret

AT: str = "/shops/{shop:str}/webhooks"


class EndpointIn(Input, frozen=True, kw_only=True):
    """An https address in the public network."""

    url: Annotated[str, Meta(min_length=1, max_length=500)]


class EndpointOut(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint; `secret` is answered as it is made and never again.

    `previous_until` is until when the secret before this one signs too, `failing_since` since when nothing has arrived.
    """

    ref: str
    url: str
    state: EndpointState
    previous_until: datetime | None
    failing_since: datetime | None
    made_at: datetime
    secret: str | None = None

    @classmethod
    def of(cls, made: Endpoint, secret: str | None = None) -> Self:
        """Write an endpoint."""
        return cls(
            ref=made.ref,
            url=made.url,
            state=made.state,
            previous_until=made.previous_until,
            failing_since=made.failing_since,
            made_at=made.made_at,
            secret=secret,
        )

    @classmethod
    def new(cls, made: NewSecret) -> Self:
        """Write an endpoint with its new secret."""
        return cls.of(made.endpoint, made.secret)


class EndpointPage(msgspec.Struct, frozen=True, kw_only=True):
    """A shop's endpoints."""

    endpoints: list[EndpointOut]


class DeliveryOut(msgspec.Struct, frozen=True, kw_only=True):
    """A message: `about` is the order's or the case's reference, `status` what the last try was answered with."""

    id: str
    type: str
    about: str
    number: int
    state: DeliveryState
    tries: int
    status: int | None
    error: str | None
    at: datetime

    @classmethod
    def of(cls, line: Delivery) -> Self:
        """Write a line of the log."""
        return cls(
            id=line.event_id,
            type=line.kind,
            about=line.ref,
            number=line.number,
            state=line.state,
            tries=line.attempt,
            status=line.status,
            error=line.last_error,
            at=line.at,
        )


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint's newest 50 messages."""

    deliveries: list[DeliveryOut]


@get(AT, responses=READING, tags=["webhooks"])
async def endpoints(request: Caller, shop: FromPath[str]) -> EndpointPage:
    """List a shop's endpoints (its owner)."""
    found = granted(await services_of(request).webhooks.endpoints(request.user, _shop(shop)))
    return EndpointPage(endpoints=[EndpointOut.of(one) for one in found])


@post(AT, opt={ACTS_AS: MERCHANT}, responses=STEP, tags=["webhooks"])
async def add_endpoint(request: Caller, shop: FromPath[str], data: JSONBody[EndpointIn]) -> EndpointOut:
    """Add an endpoint, five a shop at most; the answer has its secret, once."""
    await slow_down(request, Act.WEBHOOK)
    return EndpointOut.new(granted(await services_of(request).webhooks.add(request.user, _shop(shop), data.url)))


@delete(f"{AT}/{{ref:str}}", opt={ACTS_AS: MERCHANT}, responses=STEP, status_code=204, tags=["webhooks"])
async def remove_endpoint(request: Caller, shop: FromPath[str], ref: FromPath[str]) -> None:
    """Forget an endpoint with its log; what waits for it is not sent any more."""
    await slow_down(request, Act.WEBHOOK)
    granted(await services_of(request).webhooks.remove(request.user, *_endpoint(shop, ref)))


@post(f"{AT}/{{ref:str}}/rotate", opt={ACTS_AS: MERCHANT}, responses=STEP, status_code=200, tags=["webhooks"])
async def rotate(request: Caller, shop: FromPath[str], ref: FromPath[str]) -> EndpointOut:
    """Make a new secret, answered once; the old one signs beside it for 24 hours."""
    await slow_down(request, Act.WEBHOOK)
    return EndpointOut.new(granted(await services_of(request).webhooks.rotate(request.user, *_endpoint(shop, ref))))


@post(f"{AT}/{{ref:str}}/end-previous", opt={ACTS_AS: MERCHANT}, responses=STEP, status_code=200, tags=["webhooks"])
async def end_previous(request: Caller, shop: FromPath[str], ref: FromPath[str]) -> EndpointOut:
    """Let the old secret sign no more."""
    await slow_down(request, Act.WEBHOOK)
    granted(await services_of(request).webhooks.end_previous(request.user, *_endpoint(shop, ref)))
    return await _shown(request, shop, ref)


@post(f"{AT}/{{ref:str}}/on", opt={ACTS_AS: MERCHANT}, responses=STEP, status_code=200, tags=["webhooks"])
async def turn_on(request: Caller, shop: FromPath[str], ref: FromPath[str]) -> EndpointOut:
    """Let what happens from now on go to an endpoint again."""
    return await _turn(request, shop, ref, on=True)


@post(f"{AT}/{{ref:str}}/off", opt={ACTS_AS: MERCHANT}, responses=STEP, status_code=200, tags=["webhooks"])
async def turn_off(request: Caller, shop: FromPath[str], ref: FromPath[str]) -> EndpointOut:
    """Stop an endpoint; what waits for it is not sent any more."""
    return await _turn(request, shop, ref, on=False)


@post(f"{AT}/{{ref:str}}/test", opt={ACTS_AS: MERCHANT}, responses=STEP, status_code=202, tags=["webhooks"])
async def try_endpoint(request: Caller, shop: FromPath[str], ref: FromPath[str]) -> EndpointOut:
    """Send a message of the type `test`."""
    await slow_down(request, Act.WEBHOOK)
    granted(await services_of(request).webhooks.test(request.user, *_endpoint(shop, ref)))
    return await _shown(request, shop, ref)


@get(f"{AT}/{{ref:str}}/deliveries", responses=READING, tags=["webhooks"])
async def deliveries(request: Caller, shop: FromPath[str], ref: FromPath[str]) -> DeliveryPage:
    """List an endpoint's newest messages and what became of each."""
    found = granted(await services_of(request).webhooks.deliveries(request.user, *_endpoint(shop, ref)))
    return DeliveryPage(deliveries=[DeliveryOut.of(line) for line in found])


async def _turn(request: Caller, shop: str, ref: str, *, on: bool) -> EndpointOut:
    await slow_down(request, Act.WEBHOOK)
    granted(await services_of(request).webhooks.turn(request.user, *_endpoint(shop, ref), on=on))
    return await _shown(request, shop, ref)


async def _shown(request: Caller, shop: str, ref: str) -> EndpointOut:
    return EndpointOut.of(granted(await services_of(request).webhooks.endpoint(request.user, *_endpoint(shop, ref))))


def _shop(text: str) -> int:
    shop_id = parse_shop_ref(text)
    if shop_id is None:
        raise refuse_now(Refusal.NOT_FOUND)
    return shop_id


def _endpoint(shop: str, text: str) -> tuple[int, int]:
    shop_id, ref = _shop(shop), reference(text)
    if ref.shop_id != shop_id:
        raise refuse_now(Refusal.NOT_FOUND)
    return shop_id, ref.object_id


handlers = [
    endpoints,
    add_endpoint,
    remove_endpoint,
    rotate,
    end_previous,
    turn_on,
    turn_off,
    try_endpoint,
    deliveries,
]
