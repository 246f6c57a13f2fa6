"""What of a pasted chat becomes facts of the letters: who is who in it, and the messages that the person ticked.

A ticked message is an event of the story with its time, its words and where it stands; by whom follows from its name.
Nothing is taken by itself, and who somebody is is asked where neither the name nor the person says it.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

import msgspec

from kabao.selfhelp.chats import Chat, ChatMessage, read_chat
from kabao.selfhelp.masks import hide
from kabao.selfhelp.model import CHINA, ChatText, Event, Happening, Moment, Side, Story
from kabao.selfhelp.storyfile import is_likely

KINDS: Final = (
    Happening.OTHER, Happening.COMPLAINED, Happening.PROMISED, Happening.ANSWERED, Happening.REFUSED,
)  # fmt: skip
"""What the words of a chat may be; `other` quotes them and says no more."""
LONGEST: Final = 500
"""Characters that are kept of a message."""
MOST_ASKED: Final = 6
"""Of so many people who talk most it is asked who they are."""
_LOOKED_AT: Final = 300_000
"""Characters in which names are looked for."""
_OWN: Final = frozenset({"我", "自己", "本人", "me", "you"})
"""What copies call the one who made them."""
_INSIDE: Final = re.compile(r"[A-Za-z0-9\-_]+\Z")
MORE: Final = "……"


class Talker(NamedTuple):
    """Somebody who talks in a chat, how often, and who that is as far as it is known."""

    name: str
    messages: int
    side: Side | None


class Told(NamedTuple):
    """A message of a chat with its number (from 1), and whether it stands among the events."""

    number: int
    message: ChatMessage
    is_ticked: bool


def reading(chat: ChatText, story: Story, most: int | None = None) -> Chat:
    """Read a chat of a story as on the day it was pasted."""
    seen = chat.seen or story.created_at.astimezone(CHINA).date()
    return read_chat(chat.text[:most], seen=seen)


def talkers(story: Story) -> tuple[Talker, ...]:
    """Name everybody who talks in the chats, those who talk most first."""
    said: Counter[str] = Counter()
    for chat in story.chats:
        said.update(one.name for one in reading(chat, story, _LOOKED_AT).messages if one.name)
    known = _known(story)
    return tuple(Talker(name, count, side_of_name(name, known, story)) for name, count in said.most_common())


def _known(story: Story) -> Mapping[str, Side]:
    return {name: side for chat in story.chats for name, side in chat.names.items()}


def side_of_name(name: str, known: Mapping[str, Side], story: Story) -> Side | None:
    """Say who a name of a chat is: as the person said, else where the name itself says it."""
    if name in known:
        return known[name]
    if name.casefold() in _OWN or (name and name == story.person.name):
        return Side.ME
    return Side.MERCHANT if name and name in {story.shop.name, story.shop.real_name} else None


def unclear(story: Story) -> tuple[str, ...]:
    """Name those of whom it has to be asked who they are: whom a fact quotes, and all until both sides are known."""
    if not story.chats:
        return ()
    found = talkers(story)
    sides = {one.side for one in found}
    both = Side.ME in sides and bool(sides & {Side.MERCHANT, Side.PLATFORM})
    known = _known(story)
    quotes = [event.name for event in story.events if event.source and event.name]
    open_now = [*(() if both else (one.name for one in found[:MOST_ASKED])), *quotes]
    unknown = (name for name in dict.fromkeys(open_now) if side_of_name(name, known, story) is None)
    return tuple(unknown)[:MOST_ASKED]


def source_of(chat: ChatText, number: int) -> str:
    """Name the place of a message: its chat and its number there."""
    return f"{chat.file}#{number}"


def told(chat: ChatText, story: Story, read: Chat | None = None) -> tuple[Told, ...]:
    """List the messages of a chat with those that were ticked; `read` where it was read already."""
    taken = {event.source for event in story.events if event.source}
    found = enumerate((read or reading(chat, story)).messages, 1)
    return tuple(Told(number, one, source_of(chat, number) in taken) for number, one in found)


def is_dated(message: ChatMessage) -> bool:
    """Tell whether a message can be a dated fact."""
    return message.at is not None and is_likely(message.at.date()) and bool(message.said.strip())


def ticked(
    story: Story, chat: ChatText, listed: Collection[int], ticks: Collection[int], read: Chat | None = None
) -> Story:
    """Take the ticked ones among the listed messages into the events, and those no longer ticked out of them."""
    dropped = {source_of(chat, number) for number in listed if number not in ticks}
    events = [event for event in story.events if event.source not in dropped]
    there = {event.source for event in events}
    wanted = {number for number in listed if number in ticks and source_of(chat, number) not in there}
    known = _known(story)
    for number, one in enumerate((read or reading(chat, story)).messages, 1) if wanted else ():
        if number in wanted and is_dated(one) and one.at is not None:
            said = shortened(hide(one.said.strip(), story), LONGEST)
            side = side_of_name(one.name, known, story) or Side.OTHER
            at = Moment(one.at.astimezone(CHINA).replace(second=0, microsecond=0))
            events.append(Event(at=at, by=side, text=said, name=one.name, source=source_of(chat, number)))
    return msgspec.structs.replace(story, events=tuple(sorted(events, key=lambda event: event.at)))


def with_names(story: Story, names: Mapping[str, Side]) -> Story:
    """Say who names of the chats are; what the events quote of them follows."""

    def of(chat: ChatText) -> ChatText:
        mine = {name: side for name, side in names.items() if name in chat.text}
        return msgspec.structs.replace(chat, names={**chat.names, **mine})

    chats = tuple(map(of, story.chats))
    events = tuple(
        msgspec.structs.replace(event, by=names[event.name]) if event.source and event.name in names else event
        for event in story.events
    )
    return msgspec.structs.replace(story, chats=chats, events=events)


def moved(story: Story, files: Mapping[str, str]) -> Story:
    """Let the events name their chats by other files; of a chat that is gone the words stay, without their place."""

    def place(source: str) -> str:
        file, _, number = source.rpartition("#")
        return f"{files[file]}#{number}" if file in files else ""

    events = tuple(
        msgspec.structs.replace(event, source=place(event.source)) if event.source else event for event in story.events
    )
    return msgspec.structs.replace(story, events=events)


def shortened(text: str, most: int) -> str:
    """Cut a text that is longer, never inside a word of letters and figures: half a key would be no key to the mask."""
    if len(text) <= most:
        return text
    return _INSIDE.sub("", text[:most]).rstrip() + MORE


def quoted(event: Event, story: Story, most: int) -> str:
    """Quote the words of an event in short, on one line and without a secret."""
    return shortened(" ".join(hide(event.text, story).split()), most)
