"""What a claim would come to, before anybody files it."""

from typing import Annotated, Any

import msgspec
from litestar import post
from litestar.params import JSONBody
from msgspec import Meta

from kabao.api.documents import STEP
from kabao.api.entry import ACTS_AS, EITHER_SIDE, Caller, as_itself, services_of, slow_down
from kabao.api.inputs import Input, Minor, RefText
from kabao.api.problems import granted, refuse_now
from kabao.cases import AtOnce, Remedy, Side
from kabao.figures import Forecast, ForeseeFacts, ForeseeOrder
from kabao.identity import Act, Role
from kabao.kernel import Refusal

ESTIMATE = {
    "zh": "这是估计，不是裁决：按现有事实推出来的，补了证据会变。",
    "en": "This is an estimate, not a ruling: it follows from the facts as known, and evidence may change it.",
}
FactName = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,47}$")]


class Shown(Input, frozen=True, kw_only=True):
    """One piece of evidence for or against a fact; `confidence` is 0 to 100."""

    shows: Annotated[str, Meta(max_length=12, pattern="^(proved|disproved)$")]
    confidence: Annotated[int, Meta(ge=0, le=100)]
    kind: Annotated[str, Meta(max_length=48)] | None = None
    by: Annotated[str, Meta(max_length=12)] | None = None


class Weighed(Input, frozen=True, kw_only=True):
    """A fact by its evidence."""

    evidence: Annotated[list[Shown], Meta(min_length=1, max_length=20)]


Known = Annotated[str, Meta(max_length=12, pattern="^(proved|disproved|unknown)$")]


class ForecastIn(Input, frozen=True, kw_only=True):
    """An order of the caller, or bare facts with amounts (at least `price_minor`); never both.

    `category` and `is_opened` go with facts: they choose the closed cases whose frequencies are told.
    """

    claim: Annotated[str, Meta(min_length=1, max_length=60)]
    demand: Remedy = Remedy.FULL_REFUND
    demand_minor: Minor = 0
    order_ref: RefText | None = None
    facts: Annotated[dict[FactName, Known | Weighed], Meta(max_length=100)] | None = None
    amounts: Annotated[dict[FactName, Minor], Meta(max_length=30)] = msgspec.field(default_factory=dict)
    category: Annotated[str, Meta(max_length=40)] = ""
    is_opened: bool = True


class ChangeOut(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that would change the forecast, who has to show it, and to what it would turn.

    `holds` tells whether its proof would change it; else it is its disproof.
    """

    fact: str
    label: str
    burden: str
    turns_to: str
    holds: bool


class EndingOut(msgspec.Struct, frozen=True, kw_only=True):
    """How often similar cases ended so; the share in whole percent."""

    ending: str
    cases: int
    percent: int


class SimilarOut(msgspec.Struct, frozen=True, kw_only=True):
    """How the closed cases of the same claim, kind of goods and seal ended."""

    cases: int
    endings: list[EndingOut]


class DirectOut(msgspec.Struct, frozen=True, kw_only=True):
    """Sealed keys that go back at once, and what for; `is_all` where that is everything still held."""

    keys: int
    refund_minor: int
    is_all: bool


class ForecastOut(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate: outcome and amounts in minor units, reasons, articles, what would change it.

    `similar` is null where fewer than twenty similar cases have closed. `at_once` tells whether the claim would be
    decided and refunded the moment it is filed: yes, no, or limit where the buyer has had five such in thirty days.
    Without a person nothing beyond `demanded_minor` is given (0: no money is demanded, or bare facts). `direct` tells
    the buyer of sealed keys that go back at once without a case.
    """

    is_estimate: bool
    note: dict[str, str]
    version: str
    outcome: str
    outcome_label: str
    refund_minor: int
    damages_minor: int
    responsible: dict[str, int]
    payer: str | None
    reasons: list[dict[str, str]]
    articles: list[str]
    changes: list[ChangeOut]
    similar: SimilarOut | None
    at_once: AtOnce
    demanded_minor: int
    direct: DirectOut | None
    decision: dict[str, Any]

    @classmethod
    def of(cls, forecast: Forecast) -> "ForecastOut":
        """Write a forecast; `decision` is the whole of it, as `kabao rulebook decide --json` prints it."""
        view, similar, direct = forecast.decision, forecast.similar, forecast.direct
        return cls(
            is_estimate=True,
            note=ESTIMATE,
            version=view.version,
            outcome=view.outcome,
            outcome_label=view.outcome_label,
            refund_minor=view.refund_minor,
            damages_minor=view.damages_minor,
            responsible=view.responsible,
            payer=view.payer,
            reasons=[{"zh": one.zh, "en": one.en} for one in (*view.findings, *view.reasons)],
            articles=[name for _, name, _ in view.articles],
            changes=[
                ChangeOut(fact=one.fact, label=one.label, burden=one.burden, turns_to=one.turns_to, holds=one.holds)
                for one in view.missing
            ],
            similar=None
            if similar is None
            else SimilarOut(
                cases=similar.cases,
                endings=[EndingOut(ending=one.ending, cases=one.cases, percent=one.percent) for one in similar.endings],
            ),
            at_once=forecast.at_once,
            demanded_minor=forecast.demanded_minor,
            direct=None
            if direct is None
            else DirectOut(keys=direct.keys, refund_minor=direct.refund_minor, is_all=direct.is_all),
            decision=view.full,
        )


@post("/cases/forecast", opt={ACTS_AS: EITHER_SIDE}, responses=STEP, status_code=200, tags=["cases"])
async def forecast(request: Caller, data: JSONBody[ForecastIn]) -> ForecastOut:
    """Forecast a claim on an order of the caller, or on bare facts, without filing anything."""
    services = services_of(request)
    if (data.order_ref is None) == (data.facts is None):
        raise refuse_now(Refusal.INVALID_FIELDS, {"order_ref": "写订单号，或者写事实，二选一"})
    await slow_down(request, Act.FORECAST)
    if data.order_ref is not None:
        as_itself(request, granted(await services.orders.order(request.user, data.order_ref)).role)
        wish = ForeseeOrder(
            order_ref=data.order_ref, claim=data.claim, demand=data.demand, demand_minor=data.demand_minor
        )
        return ForecastOut.of(granted(await services.forecasts.of_order(request.user, wish)))
    bare = ForeseeFacts(
        claim=data.claim,
        demand=data.demand,
        facts={name: _plain(known) for name, known in (data.facts or {}).items()},
        amounts=data.amounts,
        category=data.category,
        is_opened=data.is_opened,
    )
    viewer = Side.MERCHANT if request.user.roles == {Role.MERCHANT} else Side.BUYER
    return ForecastOut.of(granted(await services.forecasts.of_facts(bare, viewer)))


def _plain(known: str | Weighed) -> Any:
    """Write a fact as the rulebook reads it, without what was not said of its evidence."""
    if isinstance(known, str):
        return known
    return {
        "evidence": [
            {name: value for name, value in msgspec.structs.asdict(one).items() if value is not None}
            for one in known.evidence
        ]
    }


handlers = [forecast]
