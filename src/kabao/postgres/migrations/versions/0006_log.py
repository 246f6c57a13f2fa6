"""The public log: its head, lease, tiles, records, checkpoints; the SQL is in the file of the same name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0006_log"
down_revision = "0005_case_decision"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
