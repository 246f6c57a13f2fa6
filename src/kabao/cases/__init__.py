"""Cases: what a buyer, or a merchant of a buyer, claims and demands, the negotiation, and how it is decided.

Invariants: one open case an order; the release clock stops in the transaction that opens it; a settlement moves the
money in its own transaction, a ruling when its window is over (`cases.green`: as the case is opened); a silent buyer
loses nothing, and an unanswered claim stands only where the rulebook supports it; only the other side accepts an
offer; staff never rule in a case of their own; both sides see the same lines. A transaction locks the case first,
then the order's escrow row, then the order, so that no two steps wait for each other. What lies above negotiation is
`cases.ladder`.
"""

from kabao.cases.claims import CLAIMS, KIND_LABELS, MERCHANT_CLAIMS, Claim, ClaimKind
from kabao.cases.cover.model import OVER_TOTAL, Cover, CoverDeed, CoverView, SetCover
from kabao.cases.cover.service import CoverService
from kabao.cases.decisions import AtOnce, DecisionService, DecisionView, Reason, SayFact
from kabao.cases.desk.model import (
    COUNTED_TO,
    MAX_SEARCH_CHARS,
    DeskView,
    Lane,
    OwnView,
    QueueCard,
    QueuePage,
    QueueWish,
    TimeLeft,
)
from kabao.cases.desk.rules import read_after, write_after
from kabao.cases.desk.service import DeskService
from kabao.cases.facts import CORE, MERCHANTS_CORE
from kabao.cases.inbox.model import BULK_AT_MOST, COUNTED, Cursor, Granted, InboxPage, Tab, ToGrant, Waiting
from kabao.cases.inbox.rules import read_cursor, write_cursor
from kabao.cases.inbox.service import InboxService, was_granted
from kabao.cases.ladder.model import (
    CastVote,
    GiveFirstView,
    Pending,
    Question,
    RulingStage,
    Shares,
    Windows,
)
from kabao.cases.ladder.service import LadderService
from kabao.cases.machine import STEPS, Stage
from kabao.cases.model import (
    Action,
    CaseCard,
    CaseView,
    Flood,
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
from kabao.cases.texts.model import FIELDS, MAX_NOTE_CHARS, PLATFORM, TEXTS_AT_MOST, Text, TextKind, WriteText
from kabao.cases.texts.rules import fill, unfilled
from kabao.cases.texts.service import TextService
from kabao.cases.words import RULED_BY

__all__ = [
    "BULK_AT_MOST",
    "CLAIMS",
    "CORE",
    "COUNTED",
    "COUNTED_TO",
    "FIELDS",
    "KIND_LABELS",
    "MAX_NOTE_CHARS",
    "MAX_SEARCH_CHARS",
    "MERCHANTS_CORE",
    "MERCHANT_CLAIMS",
    "OVER_TOTAL",
    "PLATFORM",
    "RULED_BY",
    "STEPS",
    "TEXTS_AT_MOST",
    "Action",
    "AtOnce",
    "CaseCard",
    "CaseService",
    "CaseView",
    "CastVote",
    "Claim",
    "ClaimKind",
    "Cover",
    "CoverDeed",
    "CoverService",
    "CoverView",
    "Cursor",
    "DecisionService",
    "DecisionView",
    "DeskService",
    "DeskView",
    "FactChoice",
    "FactsView",
    "Flood",
    "GiveFirstView",
    "Granted",
    "InboxPage",
    "InboxService",
    "LadderService",
    "Lane",
    "MakeOffer",
    "OfferState",
    "OfferView",
    "OpenCase",
    "Outcome",
    "OwnView",
    "Pending",
    "Question",
    "QueueCard",
    "QueuePage",
    "QueueWish",
    "Reason",
    "Remedy",
    "RoseWhy",
    "Rule",
    "RulingStage",
    "RulingView",
    "Rung",
    "SaidFact",
    "SayFact",
    "SetCover",
    "Shares",
    "Side",
    "Stage",
    "Tab",
    "Text",
    "TextKind",
    "TextService",
    "TimeLeft",
    "TimelineFile",
    "TimelineLine",
    "ToGrant",
    "Turn",
    "Waiting",
    "Windows",
    "WriteText",
    "fill",
    "read_after",
    "read_cursor",
    "unfilled",
    "was_granted",
    "write_after",
    "write_cursor",
]
