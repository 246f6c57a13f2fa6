"""What can go wrong with the database, as exceptions that carry the sentence a person will read.

Nothing here knows HTTP or the kernel; the web layer maps `DatabaseUnavailable` to 503.
"""

from typing import Self


class ExplainedError(Exception):
    """A failure with one sentence in Chinese and one in English, each saying what to do next."""

    def __init__(self, *, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


class DataFolderRefused(ExplainedError):  # noqa: N818  a refusal, in the project's own word
    """The data folder may not be used by this process; nothing in it was changed."""


class DataFolderBusy(DataFolderRefused):
    """Another kabao process holds the data folder."""


class ServerFailed(ExplainedError):  # noqa: N818  named for what happened
    """The embedded PostgreSQL could not be created, started or stopped; its log says more."""


class SchemaTooNew(ExplainedError):  # noqa: N818  named for what happened
    """The database was migrated by a newer kabao than this one; nothing was changed."""


class DatabaseUnavailable(Exception):  # noqa: N818  named for what happened
    """The database cannot be reached just now; the pool resumes by itself when it is back.

    `outcome_unknown` is true when the connection broke during COMMIT: the transaction may or may not be
    stored, so the caller repeats it under the same idempotency key instead of assuming either.
    """

    def __init__(self, reason: str, *, outcome_unknown: bool = False) -> None:
        super().__init__(reason)
        self.outcome_unknown = outcome_unknown

    @classmethod
    def because(cls, cause: BaseException, *, outcome_unknown: bool = False) -> Self:
        """Describe `cause` by its type and, for PostgreSQL, its SQLSTATE; never by values from a row."""
        sqlstate = getattr(cause, "sqlstate", None)
        reason = type(cause).__name__ + (f" ({sqlstate})" if sqlstate else "")
        return cls(reason, outcome_unknown=outcome_unknown)


class DatabaseFull(DatabaseUnavailable):
    """PostgreSQL has no room left on its disk (SQLSTATE 53100); the statement was undone."""
