"""A case on its ladder against a model that a person can hold in the head, over thousands of random steps."""

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from casemodel import OPEN
from casewalk import CasesMachine

EXAMPLES = int(os.environ.get("KABAO_MACHINE_EXAMPLES", "60"))
STEPS_EACH = 50


def test_cases_climb_the_ladder_as_the_model(dsn: str) -> None:
    CasesMachine.dsn = dsn
    run_state_machine_as_test(
        CasesMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS_EACH,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # Drawn the same each time: the walk has to come everywhere, and a draw of today must not decide that.
            derandomize=True,
            database=None,
        ),
    )
    assert CasesMachine.ends == {"replaced", "fell back"}
    assert {stage for stage, _ in CasesMachine.walked} >= OPEN - {"green"} | {
        *("settled", "withdrawn", "executed"),
        *("green green", "green review", "green executed"),
    }
