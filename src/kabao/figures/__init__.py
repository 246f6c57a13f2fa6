"""What cases come to, seen together: forecasts of those not filed yet and the public figures.

Invariants: a forecast is an estimate and says so; no frequency is told of fewer than twenty cases; whoever decides
cases is told no forecast.
"""

from kabao.figures.forecast import ForecastService
from kabao.figures.model import LEAST, Choice, Ending, Forecast, ForeseeFacts, ForeseeOrder, Frequency, Similar
from kabao.figures.openly import PublicFigures, Row, Section
from kabao.figures.rules import choices_of
from kabao.figures.service import FigureService

__all__ = [
    "LEAST",
    "Choice",
    "Ending",
    "FigureService",
    "Forecast",
    "ForecastService",
    "ForeseeFacts",
    "ForeseeOrder",
    "Frequency",
    "PublicFigures",
    "Row",
    "Section",
    "Similar",
    "choices_of",
]
