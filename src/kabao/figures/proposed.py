"""Proposals to change the rules as plain values."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

WORDS: Final = ("clause", "suggestion", "reason")
"""What every proposal says."""


class Propose(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody would change: the words it is about, the words instead, and why; `article` may be left empty."""

    article: str = ""
    clause: str
    suggestion: str
    reason: str


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal and what became of it: open, taken_up in `version`, or declined with `answer`."""

    proposal_id: int
    article: str | None
    clause: str
    suggestion: str
    reason: str
    filed_at: datetime
    shown_at: datetime | None
    state: str
    version: str | None
    answer: str | None
    answered_at: datetime | None
    is_from_case: bool


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The words in which a proposal is put up; empty ones stay as they were written."""

    clause: str = ""
    suggestion: str = ""
    reason: str = ""


class Filed(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as it is filed: of a case, or of a person (`by_id`)."""

    proposal_id: int
    shop_id: int | None = None
    case_id: int | None = None
    by_id: int | None = None
    article: str | None = None
    clause: str
    suggestion: str
    reason: str


class DecidedAgainst(msgspec.Struct, frozen=True, kw_only=True):
    """A case whose clause lost: its claim, what the buyer quoted, and what the rules said."""

    shop_id: int
    case_id: int
    claim: str
    statement: str
    rulebook_version: str
    decision: Mapping[str, Any]
