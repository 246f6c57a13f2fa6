"""A seeded market with a clock moved by hand, over the real services, and an auditor who shares no code with them.

Invariants: the same seed and days give the same report, whatever the machine and the hour; the auditor expects from
what it saw happen, never from what the database says; a market whose report is not fine has found a fault.
"""

from kabao.simulation.model import Mismatch, Progress, Report
from kabao.simulation.run import ORDERS_A_DAY, play
from kabao.simulation.throwaway import simulate

__all__ = ["ORDERS_A_DAY", "Mismatch", "Progress", "Report", "play", "simulate"]
