"""What to have ready before a letter goes out: transaction, goods, talk; what can vanish first comes first."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec
from ruamel.yaml import YAML

from kabao.adjudication.model import Text
from kabao.selfhelp.model import Kind, Story
from kabao.selfhelp.results import Assessment, CheckItem, CheckState, HowTo, Path

_FILE: Final = "checklist.yaml"
_BY_TEXT: Final = {"terms": "terms", "chat": "chats"}
"""Items that pasted texts are as well."""


class _Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    element: str
    kinds: tuple[Kind, ...]
    title: Text
    why: Text
    how: tuple[str, ...]
    urgent: bool = False
    claims: frozenset[str] = frozenset()
    claims_not: frozenset[str] = frozenset()
    fraud: bool = False


class _How(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: Text
    steps: tuple[Text, ...]


class _Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    items: tuple[_Item, ...]
    hows: dict[str, _How]


def checklist(story: Story, assessment: Assessment) -> tuple[CheckItem, ...]:
    """List what this case needs, in the order of capture, and whether it is there."""
    return tuple(_checked(one, story) for one in _data().items if _fits(one, story, assessment))


def hows(items: Iterable[CheckItem]) -> tuple[HowTo, ...]:
    """Return how the things are captured that the items name, each once."""
    named = dict.fromkeys(name for item in items for name in item.how)
    found = _data().hows
    return tuple(HowTo(how_id=name, title=found[name].title, steps=found[name].steps) for name in named)


def kinds_of(check_id: str) -> tuple[Kind, ...]:
    """Say what files may be that are captured for a line of the list."""
    return next((one.kinds for one in _data().items if one.id == check_id), ())


def _fits(item: _Item, story: Story, assessment: Assessment) -> bool:
    if item.fraud:
        return assessment.path is Path.FRAUD
    return story.claim not in item.claims_not and (not item.claims or story.claim in item.claims)


def _checked(item: _Item, story: Story) -> CheckItem:
    numbers = tuple(number for number, one in enumerate(story.evidence, 1) if one.kind in item.kinds)
    has_text = bool(getattr(story, _BY_TEXT[item.id])) if item.id in _BY_TEXT else False
    return CheckItem(
        check_id=item.id,
        element=item.element,
        state=CheckState.READY if numbers or has_text else CheckState.MISSING,
        title=item.title,
        why=item.why,
        how=item.how,
        items=numbers,
        urgent=item.urgent,
    )


@cache
def _data() -> _Data:
    text = (files("kabao.selfhelp") / "data" / _FILE).read_text(encoding="utf-8")
    return msgspec.convert(YAML(typ="safe").load(text), _Data)
