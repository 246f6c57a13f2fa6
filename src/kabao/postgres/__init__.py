"""PostgreSQL for kabao: the embedded server, the pool, named queries, migrations.

Invariants:

- One data folder, one serving process: the folder is locked, and a folder that is newer, foreign or held by
  another process is refused before anything in it changes.
- What PostgreSQL has committed survives the death of kabao, of PostgreSQL, or of both; the next start
  recovers it. A postmaster.pid is removed only when no postgres process is left in that cluster.
- The embedded server listens on a unix socket only, and only root and the server's own account reach it. No
  mode of a folder above is ever loosened.
- A lost database surfaces as `DatabaseUnavailable` and nothing else; the pool resumes by itself. A break
  during COMMIT says so (`outcome_unknown`).
- Migrations run in one transaction, forward only; a database that a newer kabao migrated is refused.

Start: `EmbeddedServer.start(DIR)`, `bootstrap(server.dsn("postgres", SUPERUSER))`,
`upgrade(server.dsn(DATABASE, OWNER_ROLE))`, `server.record_schema(latest_schema())`,
`open_pool(server.dsn(DATABASE, APP_ROLE))`; `prepare(server)` does the middle three.
"""

from kabao.postgres.bootstrap import APP_ROLE, AUDIT_ROLE, DATABASE, OWNER_ROLE, bootstrap
from kabao.postgres.embedded import SUPERUSER, EmbeddedServer
from kabao.postgres.errors import (
    DatabaseFull,
    DatabaseUnavailable,
    DataFolderBusy,
    DataFolderRefused,
    ExplainedError,
    SchemaTooNew,
    ServerFailed,
)
from kabao.postgres.folder import DataFolder, latest_schema
from kabao.postgres.migrate import MigrationStatus, check, upgrade
from kabao.postgres.pool import Connection, Database, open_pool
from kabao.postgres.prepare import prepare
from kabao.postgres.queries import Queries, QueriesMalformedError, load_queries

__all__ = [
    "APP_ROLE",
    "AUDIT_ROLE",
    "DATABASE",
    "OWNER_ROLE",
    "SUPERUSER",
    "Connection",
    "DataFolder",
    "DataFolderBusy",
    "DataFolderRefused",
    "Database",
    "DatabaseFull",
    "DatabaseUnavailable",
    "EmbeddedServer",
    "ExplainedError",
    "MigrationStatus",
    "Queries",
    "QueriesMalformedError",
    "SchemaTooNew",
    "ServerFailed",
    "bootstrap",
    "check",
    "latest_schema",
    "load_queries",
    "open_pool",
    "prepare",
    "upgrade",
]
