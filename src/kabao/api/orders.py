"""The steps of an order through the API; every POST that moves money is answered once per Idempotency-Key."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, HeaderParameter, JSONBody, QueryParameter

from kabao.api import uploads
from kabao.api.documents import READING, STEP
from kabao.api.entry import (
    ACTS_AS,
    ANY_PARTY,
    BUYER,
    FORM,
    Caller,
    as_itself,
    reference,
    services_of,
    slow_down,
    visitor,
)
from kabao.api.inputs import PlaceOrderIn, RevealIn, WordsIn
from kabao.api.problems import granted, refuse_now
from kabao.api.replies import REPLAY_HEADER, key_of, once
from kabao.api.shapes import (
    CheckoutOut,
    FileOut,
    MessageOut,
    Messages,
    OrderOut,
    OrderPage,
    OrderRowOut,
    PlacedOut,
    RevealOut,
)
from kabao.evidence import AuthorRole
from kabao.identity import Act
from kabao.kernel import Refusal, Refused
from kabao.orders import Confirmed, OrderView, PlaceOrder, RefundedSealed

UPLOAD_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of a form with one file and its wrapping; what is larger comes in chunks."""

KeyHeader = Annotated[
    str, HeaderParameter(name="Idempotency-Key", required=False, description="1 to 200 printable ASCII letters.")
]


@post("/orders", opt={ACTS_AS: BUYER}, responses=STEP, tags=["orders"])
async def place(request: Caller, data: JSONBody[PlaceOrderIn], idempotency_key: KeyHeader = "") -> Response[PlacedOut]:
    """Place an order and reserve its keys for 15 minutes; nothing is paid yet.

    The order itself carries the key, so that placing stays one call to the database: a repeat in the same shop answers
    the same order, in the state it has by then.
    """
    wish = PlaceOrder(
        listing_ref=data.listing_ref,
        snapshot_no=data.snapshot_no,
        quantity=data.quantity,
        confirmed=data.confirmed,
        idempotency_key=key_of(idempotency_key),
    )
    placed = granted(await services_of(request).orders.place(request.user, wish))
    replayed = {REPLAY_HEADER: "true"} if placed.replayed else {}
    return Response(PlacedOut.of(placed), status_code=201, headers=replayed)


@get("/orders", responses=READING, tags=["orders"])
async def my_orders(
    request: Caller,
    before: Annotated[str, QueryParameter(max_length=40, description="`next` of the previous page.")] = "",
) -> OrderPage:
    """List the caller's orders, newest first."""
    last = reference(before).object_id if before else None
    rows = await services_of(request).orders.my_orders(request.user, before=last)
    return OrderPage(orders=[OrderRowOut.of(row) for row in rows], next=rows[-1].ref if rows else "")


@get("/orders/{ref:str}", responses=READING, tags=["orders"])
async def order(request: Caller, ref: FromPath[str]) -> OrderOut:
    """Show an order: its state, where the money is, the keys' seals, the steps open to the caller."""
    return OrderOut.of(granted(await services_of(request).orders.order(request.user, ref)))


@post("/orders/{ref:str}/checkout", opt={ACTS_AS: BUYER}, responses=STEP, status_code=200, tags=["orders"])
async def checkout(request: Caller, ref: FromPath[str]) -> CheckoutOut:
    """Say where to pay an unpaid order."""
    return CheckoutOut(pay_path=granted(await services_of(request).orders.checkout(request.user, ref)))


@post("/orders/{ref:str}/reveal", opt={ACTS_AS: BUYER}, responses=STEP, status_code=200, tags=["orders"])
async def reveal(request: Caller, ref: FromPath[str], data: JSONBody[RevealIn]) -> RevealOut:
    """Open sealed keys with a receipt, or read opened ones again. After opening, the no-reason refund is over."""
    await slow_down(request, Act.REVEAL)
    return RevealOut.of(
        granted(await services_of(request).orders.reveal(request.user, ref, data.positions, visitor(request)))
    )


@post("/orders/{ref:str}/confirm", opt={ACTS_AS: BUYER}, responses=STEP, status_code=200, tags=["orders"])
async def confirm(request: Caller, ref: FromPath[str], idempotency_key: KeyHeader = "") -> Response[Confirmed]:
    """Release what is held to the merchant, less the fee."""
    services = services_of(request)

    async def step(_key: str) -> Confirmed:
        return granted(await services.orders.confirm(request.user, ref))

    return await once(request, idempotency_key, step, database=services.database)


@post("/orders/{ref:str}/refund", opt={ACTS_AS: BUYER}, responses=STEP, status_code=200, tags=["orders"])
async def refund(request: Caller, ref: FromPath[str], idempotency_key: KeyHeader = "") -> Response[RefundedSealed]:
    """Refund every sealed key at once, without a reason; the keys return to stock."""
    services = services_of(request)

    async def step(_key: str) -> RefundedSealed:
        return granted(await services.orders.refund_sealed(request.user, ref))

    return await once(request, idempotency_key, step, database=services.database)


@post("/orders/{ref:str}/cancel", opt={ACTS_AS: BUYER}, responses=STEP, status_code=204, tags=["orders"])
async def cancel(request: Caller, ref: FromPath[str]) -> None:
    """Cancel an unpaid order; a repeat changes nothing."""
    granted(await services_of(request).orders.cancel(request.user, ref))


@get("/orders/{ref:str}/messages", responses=READING, tags=["orders"])
async def messages(request: Caller, ref: FromPath[str]) -> Messages:
    """Read the conversation of an order, oldest first."""
    services = services_of(request)
    view = granted(await services.orders.order(request.user, ref))
    said = await services.evidence.messages(view.shop_id, view.order_id)
    return Messages(messages=[MessageOut.of(message) for message in said])


@post("/orders/{ref:str}/messages", opt={ACTS_AS: ANY_PARTY}, responses=STEP, tags=["orders"])
async def say(request: Caller, ref: FromPath[str], data: JSONBody[WordsIn]) -> MessageOut:
    """Say something to the other side; it is kept as part of the order's record."""
    await slow_down(request, Act.SAY)
    services = services_of(request)
    view = granted(await services.orders.order(request.user, ref))
    as_itself(request, view.role)
    said = await services.evidence.say(
        None, view.shop_id, view.order_id, request.user.account_id, AuthorRole(view.role), data.body
    )
    if isinstance(said, Refused):
        await services.cases.flooded(request.user, view.open_case_ref, said)
    return MessageOut.of(granted(said))


@post(
    "/orders/{ref:str}/files",
    opt={FORM: True, ACTS_AS: ANY_PARTY},
    responses=STEP,
    request_max_body_size=UPLOAD_LIMIT,
    tags=["orders"],
)
async def add_file(
    request: Caller,
    ref: FromPath[str],
    data: Annotated[dict[str, UploadFile], Body(media_type=RequestEncodingType.MULTI_PART)],
) -> FileOut:
    """Hand in a file (field `file`) of less than 64 MiB, kept byte for byte; larger ones come by `/uploads`."""
    await slow_down(request, Act.GIVE_FILE)
    services = services_of(request)
    view = granted(await services.orders.order(request.user, ref))
    as_itself(request, view.role)
    upload = data.get("file")
    if not isinstance(upload, UploadFile):
        raise refuse_now(Refusal.INVALID_FIELDS, {"file": "缺少文件"})
    item = await services.evidence.add_file(
        view.shop_id,
        view.order_id,
        _case_id(view),
        request.user.account_id,
        AuthorRole(view.role),
        upload.filename,
        _chunks(upload),
    )
    return FileOut.of(granted(item))


def _case_id(view: OrderView) -> int | None:
    return reference(view.open_case_ref).object_id if view.open_case_ref else None


async def _chunks(upload: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await upload.read(256 * 1024):
        yield chunk


handlers = [
    place,
    my_orders,
    order,
    checkout,
    reveal,
    confirm,
    refund,
    cancel,
    messages,
    say,
    add_file,
    *uploads.handlers,
]
