"""A purchase made elsewhere as it is carried from page to page, and as it is saved."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from kabao.selfhelp import Language, Story, To

MIB: Final = 1024 * 1024
MOST_CASES: Final = 20
"""Saved cases of a person."""
MOST_FILES: Final = 40
"""Files of a case."""
LARGEST_FILE: Final = 200 * MIB
CASE_BYTES: Final = 400 * MIB
"""Bytes of all files of a case."""
ACCOUNT_BYTES: Final = 1024 * MIB
"""Bytes of all files of a person's cases."""
LARGEST_BODY: Final = LARGEST_FILE + 8 * MIB
"""Bytes of a form with files."""
LARGEST_SEALED: Final = MIB
"""Bytes of a saved case without its files, encrypted."""


class Edited(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as the person changed it."""

    to: To
    language: Language
    body: str


class SavedAs(msgspec.Struct, frozen=True):
    """Which saved case a page goes on with, and what it was when the page was made."""

    case_id: int
    version: int


class HelpState(msgspec.Struct, frozen=True, kw_only=True):
    """The story, the letters that were changed, the furthest step that was reached, and where it is saved."""

    story: Story
    edited: tuple[Edited, ...] = ()
    reached: int = 0
    saved: SavedAs | None = None


class SavedCase(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a case.

    `seed` signs its packs; `sent` holds letters as they were sent and `files` the number of each item's file, both by
    the name the story gives.
    """

    state: HelpState
    seed: bytes
    sent: Mapping[str, str] = {}
    files: Mapping[str, int] = {}
    is_counted: bool = False
    """Whether its ending stands in the public figures."""


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A saved case as its owner has it."""

    case_id: int
    version: int
    made_at: datetime
    saved_at: datetime
    case: SavedCase

    @property
    def story(self) -> Story:
        """What was told."""
        return self.case.state.story


class CaseState(StrEnum):
    """How far a case is; computed, never stored."""

    DRAFT = "draft"
    """No letter was sent."""
    ONGOING = "ongoing"
    CLOSED = "closed"
