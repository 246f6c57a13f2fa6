"""The desk's presence, drafts and queue; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0015_desk"
down_revision = "0014_proposals"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
