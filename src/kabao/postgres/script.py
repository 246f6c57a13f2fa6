"""How a migration runs the SQL file that lies beside it."""

from pathlib import Path
from typing import Any

from alembic import op


def run_script_beside(migration_file: str) -> None:
    """Execute `NNNN_name.sql` of the migration `NNNN_name.py`, inside Alembic's open transaction.

    The file may hold many statements and function bodies: it goes to PostgreSQL whole, as a simple query.
    """
    sql = Path(migration_file).with_suffix(".sql").read_text("utf-8")
    connection: Any = op.get_bind().connection.dbapi_connection
    connection.run_async(lambda driver: driver.execute(sql))
