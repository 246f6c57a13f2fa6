"""What cases come to, seen together: forecasts of those not filed yet, public figures, the public case library.

Invariants: a forecast is an estimate and says so; no frequency is told of fewer than twenty cases; whoever decides
cases is told no forecast; a precedent holds nothing that anybody typed but a summary written for the public.
"""

from kabao.figures.forecast import ForecastService
from kabao.figures.model import (
    LEAST,
    Choice,
    DirectRefund,
    Ending,
    Forecast,
    ForeseeFacts,
    ForeseeOrder,
    Frequency,
    Move,
    OnTable,
    Similar,
)
from kabao.figures.openly import PublicFigures, Row, Section
from kabao.figures.precedents import Found, Precedent, PrecedentService, Search
from kabao.figures.proposals import ProposalService
from kabao.figures.proposed import Proposal, Propose, Shown
from kabao.figures.rules import best_move, choices_of
from kabao.figures.service import FigureService

__all__ = [
    "LEAST",
    "Choice",
    "DirectRefund",
    "Ending",
    "FigureService",
    "Forecast",
    "ForecastService",
    "ForeseeFacts",
    "ForeseeOrder",
    "Found",
    "Frequency",
    "Move",
    "OnTable",
    "Precedent",
    "PrecedentService",
    "Proposal",
    "ProposalService",
    "Propose",
    "PublicFigures",
    "Row",
    "Search",
    "Section",
    "Shown",
    "Similar",
    "best_move",
    "choices_of",
]
