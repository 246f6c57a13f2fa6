"""Sealed keys of a release that a chargeback stopped; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0026_keys_of_stopped_releases"
down_revision = "0025_chargebacks"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
