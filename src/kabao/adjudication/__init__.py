"""Responsibility decided by published articles: the rulebook, its check, and the decision of a case with its reasons.

Invariants: a fact is proved, disproved or unknown; what cannot hold together is propagated before anything else; an
unknown fact settles against whoever bears its burden, and burdens alone never make an impossible state; articles read
settled facts only; per issue a defeated article counts for nothing, also not as a defeater; contradictory evidence on a
fact that matters is CONFLICT, with a deadline; money is whole fen, the odd one to the buyer; the quick tables, the
batch and the naive interpreter give the same answer; the order of articles in the file means nothing.

Checking and comparing (``check``, ``diff``, ``commands``) bring a solver along and are imported where they are used.
"""

from kabao.adjudication.casefile import load_case, make_case, read_case
from kabao.adjudication.compiler import Compiled, compile_book, only_law
from kabao.adjudication.decide import Adjudicator, Decision, plain
from kabao.adjudication.loader import load_book, load_file
from kabao.adjudication.model import Case, Demand, Issue, Outcome, Party, Rulebook, Shares, Unreadable

__all__ = [
    "Adjudicator",
    "Case",
    "Compiled",
    "Decision",
    "Demand",
    "Issue",
    "Outcome",
    "Party",
    "Rulebook",
    "Shares",
    "Unreadable",
    "compile_book",
    "load_book",
    "load_case",
    "load_file",
    "make_case",
    "only_law",
    "plain",
    "read_case",
]
