"""The payer's bank meets a case wherever it can stand, whatever the custodian has paid; books and model agree."""

from itertools import product

from casebank import WAYS
from casewalk import SEALED, THIRTY_DAYS, CasesMachine
from kabao.cases import STEPS

HOWS = ("whole", "part", "after")
KEYS = 250


def begin(walk: CasesMachine, how: str, where: str) -> bool:
    """Open a case that can come there; False where none can."""
    walk.cases_opened = 3
    if where.startswith(("at once", "silence")):
        walk.desk.pass_time(THIRTY_DAYS)
        walk.open_sealed(SEALED)
        while where.startswith("silence") and walk.m.is_green:
            walk.open_sealed(SEALED)
        return how == "whole"
    walk.open(how)
    # The shop has no deposit, with which alone two parties can settle after the release.
    return how != "after" or "settled" not in where


def test_a_bank_meets_a_case_wherever_it_stands_after_every_transition(dsn: str) -> None:
    CasesMachine.dsn = dsn
    walk = CasesMachine()
    walk.begin(None, has_stock=True, keys=KEYS)
    taken, met = set(), set()
    for how, where, is_paid in product(HOWS, WAYS, (True, False)):
        if not begin(walk, how, where):
            continue
        walk.bank_meets_the_case(where, is_paid=is_paid)
        walk.the_case_is_as_the_model_says()
        # Whatever the institution answers afterwards changes none of it.
        walk.wait(walk.bank.pay())
        walk.the_case_is_as_the_model_says()
        taken |= walk.m.steps
        met.add((where.rsplit(maxsplit=1)[-1], walk.m.stage))
    # The audit of the teardown compares all these orders with the institution's books.
    walk.teardown()
    assert taken | {("none", "negotiation")} == {(str(one), str(two)) for one, two in STEPS}
    assert {one for one, two in met if one == two} == {"settled", "withdrawn", "executed", "green", "review"}
