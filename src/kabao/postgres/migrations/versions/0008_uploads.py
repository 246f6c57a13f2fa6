"""Uploads by chunk, recordings, links, hints, blacked-out previews, holds and erasure; the SQL is beside."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0008_uploads"
down_revision = "0007_timestamps"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
