"""Terms as shops write them: void, vague and contradictory clauses found, explained and rewritten.

Invariants: pure but for ``apart``, which reads uploads, no network, no clock; the work grows in step with the
text; every finding stands at exact words of the text as it was read; only law whose text was read is named (it
is checked when the data are packed); a clause is never called unlawful, only "依法应属无效" (VOID) or open (VAGUE),
since only a court or arbitral body declares a term void.
"""

from kabao.terms.check import Document, check
from kabao.terms.model import Finding, FindingClass, Fine, Kind, Report, Severity, Situation, Spot, Trick, Waived

__all__ = [
    "Document",
    "Finding",
    "FindingClass",
    "Fine",
    "Kind",
    "Report",
    "Severity",
    "Situation",
    "Spot",
    "Trick",
    "Waived",
    "check",
]
