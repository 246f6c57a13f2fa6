"""Pasted chats on the steps of self-help: who is who in them, and the messages that become facts of the letters."""

import re
from collections.abc import Collection
from typing import Any, Final, NamedTuple

import msgspec

from kabao.selfhelp import ChatText, Event, Happening, Side, Story
from kabao.selfhelp.chatfacts import (
    KINDS,
    Told,
    is_dated,
    reading,
    source_of,
    talkers,
    ticked,
    told,
    unclear,
    with_names,
)
from kabao.selfhelp.chats import Chat
from kabao.web.http import Form

LISTED: Final = 100
"""Messages that a page lists of a chat; all of them are read, and the next ones are a button away."""
MOST_NAMES: Final = 20
MOST_CHATS: Final = 20
MOST_TICKS: Final = 400
"""Values of a form's fields that are looked at."""
NAME: Final = 100
_PLACE: Final = re.compile(r"(?P<chat>\d{1,3})-(?P<at>\d{1,7})")


class ShownChat(NamedTuple):
    """A chat as a page shows it: what was read, and the messages it lists, from `first` on (counted from 0)."""

    number: int
    read: Chat
    listed: tuple[Told, ...]
    first: int
    before: int | None
    after: int | None

    @property
    def ticked(self) -> int:
        """How many of the listed messages stand in the letters."""
        return sum(one.is_ticked for one in self.listed)


def given_of_chats(story: Story, form: Form) -> dict[str, Any]:
    """Give what the step of events shows of the chats."""
    places = dict(_places([*form.every("listed")[:MOST_CHATS], form.text("pick").removeprefix("chat-")]))
    chats = [
        _shown(story, chat, number, places.get(number, 0)) for number, chat in enumerate(story.chats[:MOST_CHATS], 1)
    ]
    return {"chats": chats, "names": names_of(story), "is_dated": is_dated}


def names_of(story: Story) -> list[tuple[str, str]]:
    """Name everybody who talks in the chats, and who that is as far as it is known."""
    return [(one.name, one.side.value if one.side else "") for one in talkers(story)[:MOST_NAMES]]


def names_asked(story: Story) -> list[tuple[str, str]]:
    """Name those of whom it has to be asked who they are."""
    return [(name, "") for name in unclear(story)]


def _shown(story: Story, chat: ChatText, number: int, first: int) -> ShownChat:
    read = reading(chat, story)
    messages = told(chat, story, read)
    first = first if first < len(messages) else 0
    after = first + LISTED
    return ShownChat(
        number=number,
        read=read,
        listed=messages[first:after],
        first=first,
        before=max(first - LISTED, 0) if first else None,
        after=after if after < len(messages) else None,
    )


def _places(texts: Collection[str]) -> list[tuple[int, int]]:
    found = (_PLACE.fullmatch(text) for text in texts)
    return [(int(one["chat"]), int(one["at"])) for one in found if one]


def take_names(story: Story, form: Form) -> Story:
    """Take who each name of the chats is: the fields stand in pairs."""
    pairs = zip(form.every("name")[:MOST_NAMES], form.every("side"), strict=False)
    names = {name[:NAME]: Side(side) for name, side in pairs if side in set(Side)}
    return with_names(story, names) if names and story.chats else story


def take_kinds(story: Story, form: Form) -> Story:
    """Take what the words of a chat that stand among the events are."""

    def of(number: int, event: Event) -> Event:
        said = form.text(f"kind{number}")
        fits = event.source and said in set(KINDS)
        return msgspec.structs.replace(event, kind=Happening(said)) if fits else event

    return msgspec.structs.replace(story, events=tuple(of(number, one) for number, one in enumerate(story.events, 1)))


def take_ticks(story: Story, form: Form, dropped: Collection[str]) -> Story:
    """Take the ticked ones of the listed messages; `dropped` are sources of events that the same form removes."""
    ticks = set(_places(form.every("tick")[:MOST_TICKS]))
    for place, first in dict(_places(form.every("listed")[:MOST_CHATS])).items():
        if not 0 < place <= len(story.chats):
            continue
        chat = story.chats[place - 1]
        listed = range(first + 1, first + LISTED + 1)
        wanted = {number for at, number in ticks if at == place and source_of(chat, number) not in dropped}
        story = ticked(story, chat, listed, wanted)
    return story
