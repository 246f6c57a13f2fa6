"""The checker's data as it is loaded: packed from the YAML files in ``data`` by ``tools/terms_data.py``."""

from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

PACKED: Final = "packed.json"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a frame must be like. ``has`` and its like hold alternatives: each of them must hold one."""

    act: tuple[str, ...]
    neg: bool | None = None
    has: tuple[tuple[str, ...], ...] = ()
    before: tuple[tuple[str, ...], ...] = ()
    after: tuple[tuple[str, ...], ...] = ()
    near: tuple[tuple[str, ...], ...] = ()
    sentence: tuple[tuple[str, ...], ...] = ()
    lacks: tuple[str, ...] = ()
    sentence_lacks: tuple[str, ...] = ()
    actor: tuple[str, ...] = ()
    actor_not: tuple[str, ...] = ()
    bare: bool = False
    wide: bool = False
    """Whether quantities count wherever they stand in the sentence."""
    at_most: dict[str, int] = {}
    at_least: dict[str, int] = {}
    confidence: float = 0.92
    reason: str = ""
    value: str = ""
    case: str = ""
    class_id: str = ""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A catalogue entry: one class, the law behind it, and the frames by which it is known."""

    id: str
    kind: str
    title: str
    severity: str
    why: str
    law: tuple[str, ...]
    cites: tuple[str, ...]
    rewrite: str
    lawful_if: str
    when: tuple[Rule, ...]
    fine: tuple[Rule, ...] = ()
    saved_by: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    """What makes it lawful where another sentence of its paragraph says so."""


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A matter on which clauses may contradict each other."""

    id: str
    title: str
    law: tuple[str, ...]
    cites: tuple[str, ...]
    rewrite: str
    says: tuple[Rule, ...]


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a kind of document must hold: any of these sets of concepts in one sentence."""

    id: str
    kinds: tuple[str, ...]
    title: str
    why: str
    law: tuple[str, ...]
    cites: tuple[str, ...]
    rewrite: str
    any_of: tuple[tuple[tuple[str, ...], ...], ...]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A situation of the profile: the law's floor and the frames by which the document speaks of it."""

    id: str
    title: str
    floor: str
    law: tuple[str, ...]
    cites: tuple[str, ...]
    gives: tuple[Rule, ...]
    refuses: tuple[Rule, ...]


class Packed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything the checker knows."""

    words: dict[str, tuple[tuple[str, ...], ...]]
    entries: tuple[Entry, ...]
    vague: tuple[Entry, ...]
    topics: tuple[Topic, ...]
    requirements: tuple[Requirement, ...]
    profile: tuple[Row, ...]
    derived: tuple[tuple[str, str, str], ...]
    traditional: tuple[str, str]
    look_alikes: tuple[str, str]
    prevails: dict[str, Any] = {}


@cache
def packed() -> Packed:
    """Return the product's data; read once."""
    return unpack((files("kabao.terms") / PACKED).read_bytes())


def unpack(content: bytes) -> Packed:
    """Read what the tool wrote; raises msgspec.ValidationError where it is damaged."""
    return msgspec.json.decode(content, type=Packed)
