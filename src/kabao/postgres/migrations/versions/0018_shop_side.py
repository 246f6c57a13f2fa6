"""A shop's inbox, its texts, cover for time away, and words that both sides see masked; the SQL is beside it."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0018_shop_side"
down_revision = "0015_desk"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
