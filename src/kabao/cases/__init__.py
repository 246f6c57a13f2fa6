"""Cases: what a buyer claims and demands, the negotiation, and support's ruling.

Invariants: one open case an order; the release clock stops in the transaction that opens it; a settlement or ruling
moves the money in its own transaction; silence lifts a case to support and decides nothing; only the other side
accepts an offer; staff never rule in a case of their own; both sides see the same lines. A transaction locks the case
first, then the order's escrow row, then the order, so that no two steps wait for each other.
"""

from kabao.cases.claims import CLAIMS, KIND_LABELS, Claim, ClaimKind
from kabao.cases.decisions import DecisionService, DecisionView, Reason, SayFact
from kabao.cases.machine import STEPS, Stage
from kabao.cases.model import (
    Action,
    CaseCard,
    CaseView,
    MakeOffer,
    OfferState,
    OfferView,
    OpenCase,
    Outcome,
    Remedy,
    RoseWhy,
    Rule,
    RulingView,
    Rung,
    Side,
    TimelineFile,
    TimelineLine,
    Turn,
)
from kabao.cases.saying import FactChoice, FactsView, SaidFact
from kabao.cases.service import CaseService

__all__ = [
    "CLAIMS",
    "KIND_LABELS",
    "STEPS",
    "Action",
    "CaseCard",
    "CaseService",
    "CaseView",
    "Claim",
    "ClaimKind",
    "DecisionService",
    "DecisionView",
    "FactChoice",
    "FactsView",
    "MakeOffer",
    "OfferState",
    "OfferView",
    "OpenCase",
    "Outcome",
    "Reason",
    "Remedy",
    "RoseWhy",
    "Rule",
    "RulingView",
    "Rung",
    "SaidFact",
    "SayFact",
    "Side",
    "Stage",
    "TimelineFile",
    "TimelineLine",
    "Turn",
]
