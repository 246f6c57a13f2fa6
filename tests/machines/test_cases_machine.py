"""A case on its ladder against a model that a person can hold in the head, over thousands of random steps."""

import os

from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from casemodel import OPEN
from casewalk import CasesMachine

EXAMPLES = int(os.environ.get("KABAO_MACHINE_EXAMPLES", "60"))
STEPS_EACH = 50
WALKS = 5
ENDS = {"replaced", "fell back"}
STAGES = OPEN - {"green"} | {
    *("settled", "withdrawn", "executed"),
    *("green green", "green review", "green executed"),
}


def walk(number: int) -> None:
    """Walk at random; what is drawn depends on the number, and on which modules happen to be loaded."""
    seed(number)(CasesMachine)
    run_state_machine_as_test(
        CasesMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS_EACH,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


def missed() -> set[str]:
    return STAGES - {stage for stage, _ in CasesMachine.walked} | ENDS - CasesMachine.ends


def test_cases_climb_the_ladder_as_the_model(dsn: str) -> None:
    """One walk comes nearly everywhere; another goes on where it did not, so that no draw of today decides."""
    CasesMachine.dsn = dsn
    CasesMachine.walked.clear()
    CasesMachine.ends.clear()
    for number in range(WALKS):
        walk(number)
        if not missed():
            break
    assert missed() == set()
