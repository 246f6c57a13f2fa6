"""The words of letters, read once from their data: no sentence of a letter's facts stands in code."""

from functools import cache
from importlib.resources import files
from typing import Final

import msgspec
from ruamel.yaml import YAML

from kabao.adjudication.model import Text
from kabao.selfhelp.model import Language


class EventWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an event is told, with what was written beside it and without."""

    said: Text
    bare: Text


class FactWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an answer to a fact is told."""

    fact: str
    holds: bool
    zh: str
    en: str


class Voice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the addressee calls who writes, the merchant and the platform."""

    me: str
    m: str
    p: str


class Voices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A voice in each language."""

    zh: Voice
    en: Voice


class Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of a letter is the same in every case. `hours` are those until an answer is asked for."""

    title: Text
    to: Text
    ask: Text
    next: Text
    hours: int = 0
    urgent: Text | None = None


class Phrases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of them."""

    goods: dict[str, Text]
    channels: dict[str, Text]
    kinds: dict[str, Text]
    events: dict[str, EventWords]
    claims: dict[str, Text]
    facts: list[FactWords]
    attempts: frozenset[str]
    records: frozenset[str]
    misdescribed: frozenset[str]
    clauses: dict[str, str]
    asks: dict[str, Text]
    voices: dict[str, Voices]
    letters: dict[str, Frame]
    gives: dict[str, Text]
    payees: dict[str, Text]
    offer: Text
    offer_next: Text
    offer_title: Text
    urgent_title: Text
    conduct: dict[str, Text]
    nexts: dict[str, Text]
    notes: dict[str, list[Text]]
    procedure: dict[str, tuple[str, ...]]


_FILE: Final = "letters.yaml"


@cache
def phrases() -> Phrases:
    """Return the packaged words."""
    text = (files("kabao.selfhelp") / "data" / _FILE).read_text(encoding="utf-8")
    return msgspec.convert(YAML(typ="safe").load(text), Phrases)


def chosen(text: Text | FactWords, language: Language) -> str:
    """Return the wording in a language."""
    return text.zh if language is Language.ZH else text.en
