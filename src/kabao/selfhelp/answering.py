"""An answer put into a story at its field: `payment.amount`, `answers.key_failed`, `events.2.at`, `signs`."""

from typing import Any, Final, TypeVar

import msgspec

from kabao.adjudication.model import Text
from kabao.selfhelp.book import names
from kabao.selfhelp.chatfacts import talkers, with_names
from kabao.selfhelp.model import Answer, ChatText, Side, Story, TermsText
from kabao.selfhelp.signs import NONE, SIGNS
from kabao.selfhelp.storyfile import UnreadableCaseError, Wrong, plain_of, read_story, write_plain

DEEPEST: Final = 4
Named = TypeVar("Named", ChatText, TermsText)


def answered(story: Story, field: str, value: str) -> Story:
    """Return the story with the answer in it. Raises UnreadableCaseError (file "", line 0) with what is wrong.

    For `signs` the value names those that there are, separated by commas, or the word none; an amount may be answered
    with the word unknown.
    """
    head, _, name = field.partition(".")
    if head == "names":
        return _with_name(story, name, value)
    tree = plain_of(story)
    if field == "signs":
        named = {one.strip() for one in value.replace("，", ",").split(",") if one.strip()} - {NONE}
        if unknown := sorted(named - set(SIGNS)):
            raise _wrong(f"没有“{unknown[0][:40]}”这一项", f"there is no {unknown[0][:40]}")
        tree["signs"] |= {name: "yes" if name in named else "no" for name in SIGNS}
    else:
        if head == "amounts":
            tree["unknown"] = [one for one in tree["unknown"] if one != name]
        if head == "amounts" and value == Answer.UNKNOWN:
            tree["unknown"].append(name)
            tree["amounts"].pop(name, None)
        else:
            _put(tree, field, value)
    try:
        read = read_story(write_plain(tree), field, names())
    except UnreadableCaseError as error:
        raise UnreadableCaseError(tuple(Wrong("", 0, one.text) for one in error.wrongs)) from None
    return with_texts(read, story)


def _with_name(story: Story, name: str, value: str) -> Story:
    if value not in set(Side):
        allowed = ", ".join(Side)
        raise _wrong(f"只能是其中之一：{allowed}", f"expected one of {allowed}")
    if name not in {one.name for one in talkers(story)}:
        raise _wrong(f"聊天里没有“{name[:60]}”", f"there is no {name[:60]} in the chat")
    return with_names(story, {name: Side(value)})


def with_texts(story: Story, held: Story) -> Story:
    """Give the chats and terms of a story the texts that another version of it holds, by their files."""
    texts = {one.file: one.text for one in held.chats} | {one.file: one.text for one in held.terms}

    def filled(one: Named) -> Named:
        return msgspec.structs.replace(one, text=texts.get(one.file, ""))

    chats = tuple(filled(one) for one in story.chats)
    terms = tuple(filled(one) for one in story.terms)
    return msgspec.structs.replace(story, chats=chats, terms=terms)


def _put(tree: Any, field: str, value: str) -> None:
    *way, last = field.split(".")
    at = tree
    for part in way[:DEEPEST]:
        at = _step(at, part, field)
    if isinstance(at, list):
        _step(at, last, field)
        at[int(last) - 1] = value
    elif isinstance(at, dict) and last:
        at[last] = value
    else:
        raise _no_field(field)


def _step(at: Any, part: str, field: str) -> Any:
    if isinstance(at, list) and part.isdigit() and 0 < int(part) <= len(at):
        return at[int(part) - 1]
    if isinstance(at, dict) and part in at:
        return at[part]
    raise _no_field(field)


def _no_field(field: str) -> UnreadableCaseError:
    return _wrong(f"没有“{field[:60]}”这一项", f"there is no field {field[:60]}")


def _wrong(zh: str, en: str) -> UnreadableCaseError:
    return UnreadableCaseError((Wrong("", 0, Text(zh, en)),))
