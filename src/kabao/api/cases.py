"""The steps of a case through the API, and the custodian's notices."""

from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from kabao.api.documents import READING, STEP
from kabao.api.entry import (
    ACTS_AS,
    ANY_PARTY,
    EITHER_SIDE,
    UNSIGNED,
    Caller,
    as_itself,
    services_of,
    slow_down,
)
from kabao.api.inputs import OfferIn, OpenCaseIn, WordsIn
from kabao.api.orders import KeyHeader
from kabao.api.problems import granted, refuse_now
from kabao.api.replies import once
from kabao.api.shapes import CaseOut, CasePage, CaseRowOut
from kabao.cases import CaseView
from kabao.identity import CASE_ROLES, Act
from kabao.kernel import Refusal
from kabao.orders import NoticeOutcome
from kabao.shops import parse_shop_ref

NOTICE_LIMIT: Final = 16 * 1024
LONGEST_ID: Final = 19


@post("/cases", opt={ACTS_AS: EITHER_SIDE}, responses=STEP, tags=["cases"])
async def open_case(request: Caller, data: JSONBody[OpenCaseIn], idempotency_key: KeyHeader = "") -> Response[CaseOut]:
    """Say that something is wrong with an order; the release clock stops in the same transaction.

    The shop's owner may open one, too, while money is held and every key is opened.
    """
    services = services_of(request)
    as_itself(request, granted(await services.orders.order(request.user, data.order_ref)).role)

    async def step(_key: str) -> CaseOut:
        return CaseOut.of(granted(await services.cases.open(request.user, data.order_ref, data.wish())))

    return await once(request, idempotency_key, step, database=services.database, status=201)


@get("/cases", responses=READING, tags=["cases"])
async def cases(
    request: Caller,
    shop: Annotated[str, QueryParameter(max_length=20, description="A shop of the caller: its cases.")] = "",
) -> CasePage:
    """List the caller's cases as a buyer, a shop's cases for its owner, or the queue for those who decide."""
    services = services_of(request)
    if shop:
        shop_id = parse_shop_ref(shop)
        if shop_id is None:
            raise refuse_now(Refusal.NOT_FOUND)
        found = granted(await services.cases.shop_cases(request.user, shop_id))
    elif not CASE_ROLES.isdisjoint(request.user.roles):
        found = granted(await services.cases.queue(request.user))
    else:
        found = granted(await services.cases.my_cases(request.user))
    return CasePage(cases=[CaseRowOut.of(card) for card in found])


@get("/cases/{ref:str}", responses=READING, tags=["cases"])
async def case(request: Caller, ref: FromPath[str]) -> CaseOut:
    """Show a case: claim, demand, offers, whose turn it is until when, and everything said."""
    return CaseOut.of(granted(await services_of(request).cases.case(request.user, ref)))


@post("/cases/{ref:str}/messages", opt={ACTS_AS: ANY_PARTY}, responses=STEP, tags=["cases"])
async def say(request: Caller, ref: FromPath[str], data: JSONBody[WordsIn]) -> CaseOut:
    """Say something in the case; both sides and support read it."""
    await case_as_itself(request, ref)
    await slow_down(request, Act.SAY)
    return CaseOut.of(granted(await services_of(request).cases.say(request.user, ref, data.body)))


@post("/cases/{ref:str}/answer", opt={ACTS_AS: EITHER_SIDE}, responses=STEP, status_code=200, tags=["cases"])
async def answer(request: Caller, ref: FromPath[str], data: JSONBody[WordsIn]) -> CaseOut:
    """Contest the claim with a statement (the side that did not open the case)."""
    await case_as_itself(request, ref)
    return CaseOut.of(granted(await services_of(request).cases.answer(request.user, ref, data.body)))


@post("/cases/{ref:str}/offers", opt={ACTS_AS: EITHER_SIDE}, responses=STEP, tags=["cases"])
async def offer(
    request: Caller, ref: FromPath[str], data: JSONBody[OfferIn], idempotency_key: KeyHeader = ""
) -> Response[CaseOut]:
    """Offer a way to settle; it takes the place of the offer on the table."""
    seen = await case_as_itself(request, ref)
    services = services_of(request)

    async def step(_key: str) -> CaseOut:
        # Counted here, so that a reply asked for again under its key does not count.
        await slow_down(request, Act.OFFER, seen.ref)
        return CaseOut.of(granted(await services.cases.offer(request.user, ref, data.wish())))

    return await once(request, idempotency_key, step, database=services.database, status=201)


@post(
    "/cases/{ref:str}/offers/{offer_id:str}/accept",
    opt={ACTS_AS: EITHER_SIDE},
    responses=STEP,
    status_code=200,
    tags=["cases"],
)
async def accept(
    request: Caller, ref: FromPath[str], offer_id: FromPath[str], idempotency_key: KeyHeader = ""
) -> Response[CaseOut]:
    """Accept the other side's offer; the money moves in the same transaction."""
    await case_as_itself(request, ref)
    services = services_of(request)
    number = _offer(offer_id)

    async def step(_key: str) -> CaseOut:
        return CaseOut.of(granted(await services.cases.accept(request.user, ref, number)))

    return await once(request, idempotency_key, step, database=services.database)


@post(
    "/cases/{ref:str}/offers/{offer_id:str}/refuse",
    opt={ACTS_AS: EITHER_SIDE},
    responses=STEP,
    status_code=200,
    tags=["cases"],
)
async def refuse_offer(request: Caller, ref: FromPath[str], offer_id: FromPath[str]) -> CaseOut:
    """Refuse the other side's offer; this never counts against anyone."""
    await case_as_itself(request, ref)
    return CaseOut.of(granted(await services_of(request).cases.refuse_offer(request.user, ref, _offer(offer_id))))


@post("/cases/{ref:str}/accept-demand", opt={ACTS_AS: EITHER_SIDE}, responses=STEP, status_code=200, tags=["cases"])
async def accept_demand(request: Caller, ref: FromPath[str], idempotency_key: KeyHeader = "") -> Response[CaseOut]:
    """Grant what was demanded (the side that did not open the case); the money moves in the same transaction."""
    await case_as_itself(request, ref)
    services = services_of(request)

    async def step(_key: str) -> CaseOut:
        return CaseOut.of(granted(await services.cases.accept_demand(request.user, ref)))

    return await once(request, idempotency_key, step, database=services.database)


@post("/cases/{ref:str}/escalate", opt={ACTS_AS: ANY_PARTY}, responses=STEP, status_code=200, tags=["cases"])
async def escalate(request: Caller, ref: FromPath[str]) -> CaseOut:
    """Ask support to decide; support passes a case on to the panel."""
    seen = await case_as_itself(request, ref)
    services = services_of(request)
    if seen.viewer.is_party:
        return CaseOut.of(granted(await services.cases.escalate(request.user, ref)))
    return CaseOut.of(granted(await services.cases.ladder.pass_on(request.user, ref)))


@post("/cases/{ref:str}/person", opt={ACTS_AS: EITHER_SIDE}, responses=STEP, status_code=200, tags=["cases"])
async def ask_person(request: Caller, ref: FromPath[str]) -> CaseOut:
    """Want a person to decide: what is left unanswered is then not ruled by default, it rises to support."""
    await case_as_itself(request, ref)
    return CaseOut.of(granted(await services_of(request).cases.ask_person(request.user, ref)))


@post("/cases/{ref:str}/withdraw", opt={ACTS_AS: EITHER_SIDE}, responses=STEP, status_code=200, tags=["cases"])
async def withdraw(request: Caller, ref: FromPath[str]) -> CaseOut:
    """Withdraw the case (who opened it); the release clock runs on, at least 24 hours."""
    await case_as_itself(request, ref)
    return CaseOut.of(granted(await services_of(request).cases.withdraw(request.user, ref)))


@post(
    "/custody/sandbox/notice",
    opt={UNSIGNED: True},
    responses=STEP,
    status_code=200,
    request_max_body_size=NOTICE_LIMIT,
    tags=["custody"],
)
async def take_notice(
    request: Request[Any, Any, Any],
    signature: Annotated[str, HeaderParameter(name="X-Signature", required=False, max_length=200)] = "",
) -> NoticeOutcome:
    """Take a notice of the simulated institution, of a payment or a chargeback.

    The body is canonical JSON, its signature (Ed25519, base64) stands in X-Signature.
    """
    return granted(await services_of(request).orders.take_notice(await request.body(), signature))


async def case_as_itself(request: Caller, ref: str) -> CaseView:
    """Find the case and refuse a token that stands on another side of it than its role."""
    view = granted(await services_of(request).cases.case(request.user, ref))
    as_itself(request, view.viewer)
    return view


def _offer(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_ID and int(text) < 2**63):
        raise refuse_now(Refusal.OFFER_GONE)
    return int(text)


open_handlers = [take_notice]
handlers = [
    open_case,
    cases,
    case,
    say,
    answer,
    offer,
    accept,
    refuse_offer,
    accept_demand,
    escalate,
    ask_person,
    withdraw,
]
