"""The ladder above negotiation through the API: questions, first views, rulings, votes, review, waiver."""

from typing import Final

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from kabao.api.case_shapes import PointOut, RulingsOut
from kabao.api.cases import case_as_itself
from kabao.api.documents import READING, STEP
from kabao.api.entry import ACTS_AS, DECIDERS, EITHER_SIDE, Caller, services_of, slow_down
from kabao.api.inputs import FirstViewIn, QuestionIn, ReasonIn, RulingIn, VoteIn, WordsIn
from kabao.api.orders import KeyHeader
from kabao.api.problems import granted, refuse_now
from kabao.api.replies import once
from kabao.api.shapes import CaseOut
from kabao.cases import Side
from kabao.identity import Act
from kabao.kernel import Refusal

LONGEST_ID: Final = 19


@post("/cases/{ref:str}/questions", opt={ACTS_AS: DECIDERS}, responses=STEP, tags=["cases"])
async def ask(request: Caller, ref: FromPath[str], data: JSONBody[QuestionIn]) -> CaseOut:
    """Ask a party (staff); the clock pauses, 12 hours in all a stage."""
    await case_as_itself(request, ref)
    await slow_down(request, Act.SAY)
    ladder = services_of(request).cases.ladder
    return CaseOut.of(granted(await ladder.ask(request.user, ref, Side(data.to), data.body)))


@post("/cases/{ref:str}/questions/{question_id:str}/answer", opt={ACTS_AS: EITHER_SIDE}, responses=STEP, tags=["cases"])
async def reply(request: Caller, ref: FromPath[str], question_id: FromPath[str], data: JSONBody[WordsIn]) -> CaseOut:
    """Answer a question that was asked of one's own side."""
    await case_as_itself(request, ref)
    await slow_down(request, Act.SAY)
    ladder = services_of(request).cases.ladder
    return CaseOut.of(granted(await ladder.reply(request.user, ref, _number(question_id), data.body)))


@post(
    "/cases/{ref:str}/questions/{question_id:str}/withdraw",
    opt={ACTS_AS: DECIDERS},
    responses=STEP,
    status_code=200,
    tags=["cases"],
)
async def withdraw(request: Caller, ref: FromPath[str], question_id: FromPath[str]) -> CaseOut:
    """Take a question back that nobody has answered (staff); with the last open one the clock runs on."""
    await case_as_itself(request, ref)
    ladder = services_of(request).cases.ladder
    return CaseOut.of(granted(await ladder.withdraw_question(request.user, ref, _number(question_id))))


@get("/cases/{ref:str}/points", responses=READING, tags=["cases"])
async def points(request: Caller, ref: FromPath[str]) -> list[PointOut]:
    """List what each party brought forward, oldest first; a ruling answers it point by point."""
    found = granted(await services_of(request).cases.ladder.points(request.user, ref))
    return [PointOut.of(one) for one in found]


@post("/cases/{ref:str}/first-view", opt={ACTS_AS: DECIDERS}, responses=STEP, tags=["cases"])
async def first_view(request: Caller, ref: FromPath[str], data: JSONBody[FirstViewIn]) -> CaseOut:
    """Put down a first view (staff), before which no suggestion is shown and nothing can be ruled."""
    await case_as_itself(request, ref)
    return CaseOut.of(granted(await services_of(request).cases.ladder.first_view(request.user, ref, data.wish())))


@post("/cases/{ref:str}/route-out", opt={ACTS_AS: DECIDERS}, responses=STEP, status_code=204, tags=["cases"])
async def route_out(request: Caller, ref: FromPath[str], data: JSONBody[ReasonIn]) -> None:
    """Hand a case to an authority (staff), where the rules answer so; the money stays frozen until a panel rules."""
    await case_as_itself(request, ref)
    refused = await services_of(request).cases.ladder.route_out(request.user, ref, data.reason)
    if refused is not None:
        raise refuse_now(refused.code, refused.fields)


@post("/cases/{ref:str}/route-back", opt={ACTS_AS: DECIDERS}, responses=STEP, status_code=204, tags=["cases"])
async def route_back(request: Caller, ref: FromPath[str], data: JSONBody[ReasonIn]) -> None:
    """Give a case that an authority has to the panel (the duty officer), which rules on the money."""
    await case_as_itself(request, ref)
    refused = await services_of(request).cases.ladder.route_back(request.user, ref, data.reason)
    if refused is not None:
        raise refuse_now(refused.code, refused.fields)


@get("/cases/{ref:str}/ruling", responses=READING, tags=["cases"])
async def rulings(request: Caller, ref: FromPath[str]) -> RulingsOut:
    """Show the rulings of a case, the latest last, and until when a review may be asked for."""
    view = granted(await services_of(request).cases.case(request.user, ref))
    if view.ruling is None:
        raise refuse_now(Refusal.NOT_FOUND)
    return RulingsOut.of(view)


@post("/cases/{ref:str}/ruling", opt={ACTS_AS: DECIDERS}, responses=STEP, tags=["cases"])
async def rule(
    request: Caller, ref: FromPath[str], data: JSONBody[RulingIn], idempotency_key: KeyHeader = ""
) -> Response[CaseOut]:
    """Hand a ruling in (support, a reviewer, the duty officer); both sides see it after ten seconds."""
    await case_as_itself(request, ref)
    services = services_of(request)

    async def step(_key: str) -> CaseOut:
        return CaseOut.of(granted(await services.cases.ladder.rule(request.user, ref, data.wish())))

    return await once(request, idempotency_key, step, database=services.database, status=201)


@post("/cases/{ref:str}/ruling/take-back", opt={ACTS_AS: DECIDERS}, responses=STEP, status_code=200, tags=["cases"])
async def take_back(request: Caller, ref: FromPath[str]) -> CaseOut:
    """Take one's own ruling, or the panel's last vote, back within ten seconds."""
    await case_as_itself(request, ref)
    return CaseOut.of(granted(await services_of(request).cases.ladder.take_back(request.user, ref)))


@post("/cases/{ref:str}/votes", opt={ACTS_AS: DECIDERS}, responses=STEP, tags=["cases"])
async def vote(
    request: Caller, ref: FromPath[str], data: JSONBody[VoteIn], idempotency_key: KeyHeader = ""
) -> Response[CaseOut]:
    """Vote on the panel, blind; with the last vote the panel's ruling is handed in."""
    await case_as_itself(request, ref)
    services = services_of(request)

    async def step(_key: str) -> CaseOut:
        return CaseOut.of(granted(await services.cases.ladder.vote(request.user, ref, data.wish())))

    return await once(request, idempotency_key, step, database=services.database, status=201)


@post("/cases/{ref:str}/recuse", opt={ACTS_AS: DECIDERS}, responses=STEP, status_code=204, tags=["cases"])
async def recuse(request: Caller, ref: FromPath[str], data: JSONBody[ReasonIn]) -> None:
    """Leave one's seat on the panel; another panellist is drawn."""
    await case_as_itself(request, ref)
    refused = await services_of(request).cases.ladder.recuse(request.user, ref, data.reason)
    if refused is not None:
        raise refuse_now(refused.code, refused.fields)


@post("/cases/{ref:str}/review", opt={ACTS_AS: EITHER_SIDE}, responses=STEP, status_code=200, tags=["cases"])
async def ask_review(request: Caller, ref: FromPath[str], data: JSONBody[ReasonIn]) -> CaseOut:
    """Ask for a review of the ruling by somebody else, once, while its window is open."""
    await case_as_itself(request, ref)
    return CaseOut.of(granted(await services_of(request).cases.ladder.ask_review(request.user, ref, data.reason)))


@post("/cases/{ref:str}/waive", opt={ACTS_AS: EITHER_SIDE}, responses=STEP, status_code=200, tags=["cases"])
async def waive(request: Caller, ref: FromPath[str]) -> CaseOut:
    """Waive the review; once both sides have, the ruling is carried out at once."""
    await case_as_itself(request, ref)
    return CaseOut.of(granted(await services_of(request).cases.ladder.waive(request.user, ref)))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_ID and int(text) < 2**63):
        raise refuse_now(Refusal.NOT_FOUND)
    return int(text)


handlers = [
    ask,
    reply,
    withdraw,
    points,
    first_view,
    route_out,
    route_back,
    rulings,
    rule,
    take_back,
    vote,
    recuse,
    ask_review,
    waive,
]
