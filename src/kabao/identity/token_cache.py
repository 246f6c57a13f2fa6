"""A short memory of API tokens just seen, so that a busy script does not ask the database each time."""

import time
from collections.abc import Callable
from typing import Final

from kabao.identity.model import Person

KEPT_SECONDS: Final = 2.0
MAX_ENTRIES: Final = 1024


class TokenCache:
    """Remembers who valid tokens stand for, by hash, at most two seconds and 1024 of them; never unknown ones."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, max_entries: int = MAX_ENTRIES) -> None:
        self._monotonic = monotonic
        self._max_entries = max_entries
        self._entries: dict[bytes, tuple[float, Person]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, token_hash: bytes) -> Person | None:
        """Answer the person while the entry is fresh."""
        entry = self._entries.get(token_hash)
        if entry is None:
            return None
        if self._monotonic() - entry[0] >= KEPT_SECONDS:
            self.drop(token_hash)
            return None
        return entry[1]

    def put(self, token_hash: bytes, person: Person) -> None:
        """Remember an answer; the oldest gives way where there are too many."""
        self.drop(token_hash)
        while len(self._entries) >= self._max_entries:
            del self._entries[next(iter(self._entries))]
        self._entries[token_hash] = (self._monotonic(), person)

    def drop(self, token_hash: bytes) -> None:
        """Forget one."""
        self._entries.pop(token_hash, None)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
