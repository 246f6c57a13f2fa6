"""The roles and the database kabao needs, made once by a PostgreSQL superuser.

- `kabao_owner` owns the database and runs the migrations.
- `kabao_app` is what the application connects as; the migrations grant it what it needs and no more.
- `kabao_audit` reads (SELECT only).

The embedded server calls this at every start. For a PostgreSQL of your own, run it once with an
administrator's DSN, or create the same roles and database by hand; then give the roles passwords
(`ALTER ROLE … PASSWORD`) and set `KABAO_DATABASE_URL` to the owner's DSN and, if the application is to
connect as `kabao_app` (advised), `KABAO_APP_DATABASE_URL` to that role's. Without the latter the application
connects as the owner, and the append-only tables are then guarded by the code alone.
"""

import asyncpg

from kabao.postgres.errors import DatabaseUnavailable

DATABASE = "kabao"
OWNER_ROLE = "kabao_owner"
APP_ROLE = "kabao_app"
AUDIT_ROLE = "kabao_audit"


async def bootstrap(admin_dsn: str, *, database: str = DATABASE) -> None:
    """Create the three roles and the database where they are missing; safe to repeat.

    Needs CREATEROLE and CREATEDB. Raises `DatabaseUnavailable` when the server cannot be reached.
    """
    try:
        conn = await asyncpg.connect(admin_dsn, timeout=10.0)
    except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError) as error:
        raise DatabaseUnavailable.because(error) from error
    try:
        known = {row["rolname"] for row in await conn.fetch("SELECT rolname FROM pg_roles")}
        for role in (OWNER_ROLE, APP_ROLE, AUDIT_ROLE):
            if role not in known:
                await conn.execute(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
        if not await conn.fetchval("SELECT true FROM pg_database WHERE datname = $1", database):
            name = '"' + database.replace('"', '""') + '"'
            # CREATE DATABASE takes no parameters; the names are this module's own and quoted.
            await conn.execute(f"CREATE DATABASE {name} OWNER {OWNER_ROLE} TEMPLATE template0 ENCODING 'UTF8'")
            await conn.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
            await conn.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {APP_ROLE}")
            await conn.execute(f"GRANT CONNECT ON DATABASE {name} TO {AUDIT_ROLE}")
    finally:
        await conn.close()
