"""The way from a running embedded server to a database the application can use."""

from kabao.postgres.bootstrap import DATABASE, OWNER_ROLE, bootstrap
from kabao.postgres.embedded import SUPERUSER, EmbeddedServer
from kabao.postgres.folder import latest_schema
from kabao.postgres.migrate import upgrade


async def prepare(server: EmbeddedServer) -> str:
    """Create roles and database where missing, migrate, note the schema in VERSION; return the revision.

    Raises `SchemaTooNew` for a database of a newer kabao.
    """
    await bootstrap(server.dsn("postgres", SUPERUSER))
    revision = await upgrade(server.dsn(DATABASE, OWNER_ROLE))
    server.record_schema(latest_schema())
    return revision
