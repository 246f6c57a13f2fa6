"""What cases come to, seen together: the forecast of one that is not filed yet, with the frequencies of those before.

Invariants: a forecast is an estimate and says so; nothing is said of fewer than twenty cases; whoever decides cases
is told no forecast.
"""

from kabao.figures.forecast import ForecastService
from kabao.figures.model import LEAST, Choice, Ending, Forecast, ForeseeFacts, ForeseeOrder, Frequency, Similar
from kabao.figures.rules import choices_of

__all__ = [
    "LEAST",
    "Choice",
    "Ending",
    "Forecast",
    "ForecastService",
    "ForeseeFacts",
    "ForeseeOrder",
    "Frequency",
    "Similar",
    "choices_of",
]
