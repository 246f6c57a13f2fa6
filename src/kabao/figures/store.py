"""The only file that executes the SQL of the figures."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from kabao.figures.anonymous import Anonymous, RuledCase
from kabao.figures.openly import Counted
from kabao.figures.proposed import DecidedAgainst, Filed, Proposal, Shown
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.figures")
ALIKE_AT_MOST: Final = 1_000
LOOKED_THROUGH: Final = 5_000


class PrecedentRow(Anonymous, frozen=True, kw_only=True):
    """A precedent as it is kept; `likeness` is the percent of settled facts in common, where facts were asked for."""

    public_id: str
    shop_id: int
    case_id: int
    summary: str | None
    likeness: int | None
    withdrawn_at: datetime | None = None
    withdrawn_why: str | None = None


async def similar_endings(conn: Connection, claim: str, category: str, *, is_opened: bool) -> dict[str, int]:
    """Count how the latest similar closed cases ended."""
    rows = await conn.fetch(_SQL.similar_endings, claim, category, is_opened, ALIKE_AT_MOST, LOOKED_THROUGH)
    return {row["ending"]: row["cases"] for row in rows}


async def public_counts(conn: Connection, at: datetime | None) -> list[Counted]:
    """Count everything that is published, in one statement."""
    return [Counted(**dict(row)) for row in await conn.fetch(_SQL.public_counts, at)]


async def unpublished_cases(conn: Connection, limit: int) -> list[RuledCase]:
    """List ruled and carried out cases that are not in the library yet."""
    rows = await conn.fetch(_SQL.unpublished_cases, limit)
    return [
        RuledCase(**dict(row) | {name: json.loads(row[name]) for name in ("case_file", "decision")}) for row in rows
    ]


async def add_precedent(conn: Connection, public_id: str, case: RuledCase, kept: Anonymous) -> None:
    """Put a case into the library; a second time changes nothing."""
    await conn.execute(_SQL.add_precedent, public_id, case.shop_id, case.case_id, *msgspec.structs.astuple(kept))


async def precedents(
    conn: Connection, claim: str, outcome: str, facts: Sequence[str], limit: int, offset: int
) -> list[PrecedentRow]:
    """List precedents, most alike first where facts are given."""
    return [_precedent(dict(row)) for row in await conn.fetch(_SQL.precedents, claim, outcome, facts, limit, offset)]


async def has_like(conn: Connection, claim: str) -> bool:
    """Tell whether there is a precedent of a claim."""
    return bool(await conn.fetchval(_SQL.has_like, claim))


async def precedent(conn: Connection, public_id: str) -> PrecedentRow | None:
    """Read one precedent."""
    row = await conn.fetchrow(_SQL.precedent, public_id)
    return None if row is None else _precedent(dict(row))


async def precedent_of_case(conn: Connection, shop_id: int, case_id: int) -> str | None:
    """Tell under which address a case stands in the library."""
    public_id: str | None = await conn.fetchval(_SQL.precedent_of_case, shop_id, case_id)
    return public_id


async def common_facts(conn: Connection, claim: str, limit: int) -> list[str]:
    """List the facts that stand most often in precedents."""
    return [row["fact"] for row in await conn.fetch(_SQL.common_facts, claim, limit)]


async def names_in_case(conn: Connection, shop_id: int, case_id: int) -> list[str]:
    """List the names that a summary of a case must not say."""
    names: list[str] = await conn.fetchval(_SQL.names_in_case, shop_id, case_id)
    return names


async def release_summary(conn: Connection, public_id: str, summary: str, by_id: int, at: datetime | None) -> None:
    """Keep a person's own summary beside a precedent."""
    await conn.execute(_SQL.release_summary, public_id, summary, by_id, at)


async def withdraw_precedent(conn: Connection, public_id: str, why: str, by_id: int, at: datetime | None) -> None:
    """Take a precedent out of the library, if it is in it."""
    await conn.execute(_SQL.withdraw_precedent, public_id, why, by_id, at)


async def restore_precedent(conn: Connection, public_id: str) -> None:
    """Put a precedent back into the library."""
    await conn.execute(_SQL.restore_precedent, public_id)


def _precedent(row: dict[str, object]) -> PrecedentRow:
    return msgspec.convert({name: row[name] for name in PrecedentRow.__struct_fields__}, PrecedentRow)


async def clauses_decided_against(conn: Connection, claims: Sequence[str], limit: int) -> list[DecidedAgainst]:
    """List cases about a clause that the buyer won, without a proposal yet."""
    rows = await conn.fetch(_SQL.clauses_decided_against, claims, limit)
    return [DecidedAgainst(**dict(row) | {"decision": json.loads(row["decision"])}) for row in rows]


async def add_proposal(conn: Connection, file: Filed, at: datetime | None, open_at_most: int) -> bool:
    """File a proposal; False where the case has one, or too many of the person's are open."""
    kept = await conn.fetchval(_SQL.add_proposal, *msgspec.structs.astuple(file), at, open_at_most)
    return kept is not None


async def shown_proposals(conn: Connection, limit: int) -> list[Proposal]:
    """List what was put up for everybody."""
    return [Proposal(**dict(row)) for row in await conn.fetch(_SQL.shown_proposals, limit)]


async def own_proposals(conn: Connection, account_id: int, limit: int) -> list[Proposal]:
    """List a person's proposals."""
    return [Proposal(**dict(row)) for row in await conn.fetch(_SQL.own_proposals, account_id, limit)]


async def all_proposals(conn: Connection, limit: int) -> list[Proposal]:
    """List every proposal, open ones first."""
    return [Proposal(**dict(row)) for row in await conn.fetch(_SQL.all_proposals, limit)]


async def lock_proposal(conn: Connection, proposal_id: int) -> dict[str, Any] | None:
    """Lock a proposal for the rulekeeper's step."""
    row = await conn.fetchrow(_SQL.lock_proposal, proposal_id)
    return None if row is None else dict(row)


async def show_proposal(conn: Connection, proposal_id: int, words: Shown, at: datetime | None) -> None:
    """Put a proposal up in the words given."""
    await conn.execute(_SQL.show_proposal, proposal_id, words.clause, words.suggestion, words.reason, at)


async def answer_proposal(
    conn: Connection, proposal_id: int, state: str, version: str | None, answer: str | None, at: datetime | None
) -> None:
    """Say what became of a proposal."""
    await conn.execute(_SQL.answer_proposal, proposal_id, state, version, answer, at)
