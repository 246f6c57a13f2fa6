"""A database with rows to log."""

import pytest_asyncio

from kabao.postgres import Database
from logbook import SCHEMA


@pytest_asyncio.fixture
async def books(database: Database, owner_database: Database) -> Database:
    """The application's connection to a database with a table of happenings."""
    await owner_database.execute(SCHEMA)
    return database
