"""What the rulebook says of a case, and what people say of its facts."""

from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import FromPath, JSONBody

from kabao.api.documents import READING, STEP
from kabao.api.entry import ACTS_AS, ANY_PARTY, Caller, as_itself, services_of, slow_down
from kabao.api.problems import granted
from kabao.cases import DecisionView, SaidFact, SayFact
from kabao.identity import Act


class SayFactIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a party says of a fact, with the number of the file that shows it; support adds kind and confidence."""

    fact: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,47}$")]
    shows: bool
    item_no: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""
    kind: Annotated[str, msgspec.Meta(max_length=48)] = ""
    confidence: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0


class DecisionOut(msgspec.Struct, frozen=True, kw_only=True):
    """The decision of the rules on the facts as they stand: an estimate of what they lead to, not a ruling."""

    version: str
    outcome: str
    outcome_label: str
    is_ruling: bool
    decision: dict[str, Any]

    @classmethod
    def of(cls, view: DecisionView) -> "DecisionOut":
        """Show a decision; the whole of it stands under `decision`, as `kabao rulebook decide --json` prints it."""
        return cls(
            version=view.version,
            outcome=view.outcome,
            outcome_label=view.outcome_label,
            is_ruling=False,
            decision=view.full,
        )


class SaidFactsOut(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of a case's facts, oldest first; no decision stands in it."""

    said: list[SaidFact]


@get("/cases/{ref:str}/decision", responses=READING, tags=["cases"])
async def decision(request: Caller, ref: FromPath[str]) -> DecisionOut:
    """Decide a case by the rulebook that bound its order; who decides sees it after a first view."""
    return DecisionOut.of(granted(await services_of(request).decisions.decision(request.user, ref)))


@get("/cases/{ref:str}/facts", responses=READING, tags=["cases"])
async def said_facts(request: Caller, ref: FromPath[str]) -> SaidFactsOut:
    """List what was said of a case's facts, by whom, when, and which file shows it."""
    return SaidFactsOut(said=granted(await services_of(request).decisions.facts(request.user, ref)).said)


@post("/cases/{ref:str}/facts", opt={ACTS_AS: ANY_PARTY}, responses=STEP, tags=["cases"])
async def say_fact(request: Caller, ref: FromPath[str], data: JSONBody[SayFactIn]) -> DecisionOut | SaidFactsOut:
    """Say what a fact is and what shows it; answers a party the decision anew, support the list of what was said."""
    services = services_of(request)
    as_itself(request, granted(await services.cases.case(request.user, ref)).viewer)
    await slow_down(request, Act.SAY_FACT)
    wish = SayFact(
        fact=data.fact,
        shows=data.shows,
        item_no=data.item_no,
        note=data.note,
        kind=data.kind,
        confidence=data.confidence,
    )
    decided = granted(await services.decisions.say_fact(request.user, ref, wish))
    if decided is None:
        return SaidFactsOut(said=granted(await services.decisions.facts(request.user, ref)).said)
    return DecisionOut.of(decided)


handlers = [decision, said_facts, say_fact]
