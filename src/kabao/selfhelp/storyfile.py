"""A story as YAML that a person may edit: read with every mistake at its line, written so that his comments survive.

The story's own types say what a value may be, so that a field is described once. Every plain value is text: an order
number keeps its zeros. Texts of chats and terms stand in files of their own and are filled in by ``folder``.
"""

import io
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from typing import Any, Final

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import LiteralScalarString

from kabao.adjudication.model import Text, Unreadable
from kabao.adjudication.yamlread import ListNode, MapNode, Node, TextNode, parse
from kabao.selfhelp.model import CHINA, CURRENCY, Amount, Moment, Story
from kabao.selfhelp.yamlwords import in_chinese

ELSEWHERE: Final = frozenset({"ChatText.text", "TermsText.text"})
"""Fields that stand in files of their own."""
LONGEST: Final = 4_000
"""Characters of a text in the story."""
MOST: Final = 500
"""Entries of a list."""
FEN: Final = "_minor"
"""How names of sums end that are held in fen; a person writes them in yuan."""
LARGEST_SUM: Final = 10**12
_SUM: Final = re.compile(r"[¥￥]?\s*(?P<figures>\d[\d,]*(?:\.\d{1,2})?)\s*(?:元|(?P<currency>[A-Za-z]{3}))?")
_MOMENTS: Final = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
_FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2099
_CODE: Final = re.compile(r"[\w-]{1,60}")


class Wrong(msgspec.Struct, frozen=True):
    """What is wrong with a file of a case, at its line (from 1)."""

    file: str
    line: int
    text: Text


class UnreadableCaseError(Exception):
    """A case that cannot be read: everything that is wrong with it, so that it is mended in one go."""

    def __init__(self, wrongs: tuple[Wrong, ...]) -> None:
        super().__init__("; ".join(f"{one.file}:{one.line}: {one.text.en}" for one in wrongs))
        self.wrongs = wrongs


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """The names that the rulebook and the list of signs know; others are mistakes of the pen."""

    claims: frozenset[str]
    facts: frozenset[str]
    amounts: frozenset[str]
    signs: frozenset[str]


def read_story(raw: bytes, name: str, names: Names, given: Mapping[str, Any] | None = None) -> Story:
    """Read a story; `given` holds where it says nothing. Raises UnreadableCaseError with every mistake at its line."""
    try:
        node = parse(raw, name)
    except Unreadable as error:
        raise UnreadableCaseError(
            tuple(
                Wrong(
                    name,
                    one.line,
                    Text(f"这里读不懂（YAML）：{in_chinese(one.message)}", f"{one.message} {one.hint}".strip()),
                )
                for one in error.problems
            )
        ) from None
    reader = _Reader(name, names, given or {})
    story = reader.value(Story, node, "")
    if reader.wrongs:
        raise UnreadableCaseError(tuple(sorted(reader.wrongs, key=lambda one: one.line)))
    assert isinstance(story, Story)  # noqa: S101 - nothing was wrong
    return story


def lines_of(raw: bytes, places: Iterable[str]) -> dict[str, int]:
    """Say on which lines of a file that was read fields of the story stand, such as `events.2.at`; those that do."""
    try:
        root = parse(raw)
    except Unreadable:
        return {}
    found = {place: _line_of(root, place.split(".")) for place in places}
    return {place: line for place, line in found.items() if line}


def _line_of(node: Node, way: list[str]) -> int:
    line = 0
    for part in way:
        if isinstance(node, MapNode) and part in node.entries:
            key, node = node.entries[part]
            line = key.line
        elif isinstance(node, ListNode) and part.isdigit() and 0 < int(part) <= len(node.items):
            node = node.items[int(part) - 1]
            line = node.line
        else:
            return line
    return line


def write_story(story: Story, before: bytes | None) -> bytes:
    """Write a story; where a file was there, only what differs is changed, so that comments and order survive."""
    yaml = _yaml()
    new = plain_of(story)
    if before is None:
        written: Any = {name: value for name, value in new.items() if value != _blank(Story).get(name)}
    else:
        written = yaml.load(before.decode("utf-8-sig"))
        _merge(written, new, _blank(Story))
    return _dumped(yaml, written)


def write_plain(tree: Mapping[str, Any]) -> bytes:
    """Write a story that is taken apart into text, lists and mappings, as ``plain_of`` gives it."""
    return _dumped(_yaml(), dict(tree))


# ---- reading


class Mistake(Exception):  # noqa: N818 - a person's, not the program's
    """A value that cannot be, in words."""

    def __init__(self, zh: str, en: str) -> None:
        self.text = Text(zh, en)


class _Reader:
    """One pass over the nodes; mistakes are gathered, and what is wrong counts as not given."""

    def __init__(self, file: str, names: Names, given: Mapping[str, Any]) -> None:
        self._file = file
        self._given = given
        self._known: Final[Mapping[str, frozenset[str]]] = {
            "answers": names.facts,
            "amounts": names.amounts,
            "unknown": names.amounts,
            "signs": names.signs,
            "shows": names.facts,
            "rebuts": names.facts,
            "claim": names.claims | {""},
        }
        self.wrongs: list[Wrong] = []

    def value(self, wanted: Any, node: Node, field: str) -> Any:
        """Read a node as a type; None where it is wrong."""
        try:
            return self._read(wanted, node, field)
        except Mistake as mistake:
            self.wrongs.append(Wrong(self._file, node.line, mistake.text))
            return None

    def _read(self, wanted: Any, node: Node, field: str) -> Any:
        origin = typing.get_origin(wanted)
        if origin in {types.UnionType, typing.Union}:
            inner = next(one for one in typing.get_args(wanted) if one is not type(None))
            return None if isinstance(node, TextNode) and not node.text.strip() else self._read(inner, node, field)
        if origin is tuple:
            return self._list(typing.get_args(wanted)[0], node, field)
        if origin is Mapping:
            return self._mapping(typing.get_args(wanted)[1], node, field)
        if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct) and wanted not in _SCALARS:
            return self._struct(wanted, node)
        if not isinstance(node, TextNode):
            raise Mistake(f"{field} 这里只写一个值", f"{field} is a single value")
        if issubclass(wanted, StrEnum):
            return _one_of(wanted, node.text.strip(), field)
        value = _yuan(node.text) if wanted is int and field.endswith(FEN) else _SCALARS[wanted](node.text)
        if isinstance(value, str) and field in self._known and value not in self._known[field]:
            raise _unknown(field, value)
        return value

    def _list(self, inner: Any, node: Node, field: str) -> tuple[Any, ...]:
        if isinstance(node, TextNode) and not node.text.strip():
            return ()
        if not isinstance(node, ListNode):
            raise Mistake(f"{field} 要写成一条一条的（每条前面一个 -）", f"{field} is a list, each entry after a dash")
        if len(node.items) > MOST:
            raise Mistake(f"{field} 最多 {MOST} 条", f"{field} has at most {MOST} entries")
        return tuple(self.value(inner, item, field) for item in node.items)

    def _mapping(self, inner: Any, node: Node, field: str) -> dict[str, Any]:
        if isinstance(node, TextNode) and not node.text.strip():
            return {}
        if not isinstance(node, MapNode):
            raise Mistake(f"{field} 要写成“名称: 值”", f"{field} holds names and values")
        known = self._known.get(field)
        read: dict[str, Any] = {}
        for name, (key, value) in node.entries.items():
            if known is not None and name not in known:
                self.wrongs.append(Wrong(self._file, key.line, _unknown(field, name).text))
            else:
                read[name] = self.value(inner, value, name)
        return read

    def _struct(self, wanted: type[msgspec.Struct], node: Node) -> Any:
        if not isinstance(node, MapNode):
            raise Mistake("这里要写成“名称: 值”", "names and values are expected here")
        given = self._given if wanted is Story else {}
        found: dict[str, Any] = {}
        fields = {one.name: one for one in msgspec.structs.fields(wanted) if not _is_elsewhere(wanted, one.name)}
        for name, (key, value) in node.entries.items():
            if name in given and isinstance(value, TextNode) and not value.text.strip():
                continue
            if name in fields:
                read = self.value(_hints(wanted)[name], value, name)
                if read is not None:
                    found[name] = read
            else:
                self.wrongs.append(Wrong(self._file, key.line, _unknown("", name).text))
        lacking = [name for name, one in fields.items() if one.required and name not in {*node.entries, *given}]
        if lacking:
            raise Mistake(f"这里还缺 {'、'.join(lacking)}", f"{', '.join(lacking)} is missing here")
        texts = {name: "" for name in _hints(wanted) if _is_elsewhere(wanted, name)}
        try:
            return wanted(**{**given, **found, **texts})
        except TypeError:
            return None  # a required value was wrong and is told of already


def _unknown(field: str, name: str) -> Mistake:
    inside = f"{field} 里" if field else ""
    return Mistake(f"{inside}没有“{name[:60]}”这一项", f"there is no {name[:60]}{f' in {field}' if field else ''}")


def _one_of(wanted: type[StrEnum], text: str, field: str) -> StrEnum:
    if text in {one.value for one in wanted}:
        return wanted(text)
    allowed = ", ".join(one.value for one in wanted)
    raise Mistake(f"{field} 只能是其中之一：{allowed}", f"{field} is one of {allowed}")


def _text(text: str) -> str:
    if len(text) > LONGEST:
        raise Mistake(f"最多 {LONGEST} 个字", f"at most {LONGEST} characters")
    return text.strip()


def _number(text: str) -> int:
    if not re.fullmatch(r"\d{1,12}", text.strip()):
        raise Mistake(f"“{text[:40]}”不是整数", f"{text[:40]!r} is not a whole number")
    return int(text)


def _boolean(text: str) -> bool:
    if text.strip().lower() not in {"yes", "no", "true", "false"}:
        raise Mistake("这里写 yes 或 no", "yes or no is expected here")
    return text.strip().lower() in {"yes", "true"}


def _day(text: str) -> date:
    return moment_of(text).day


def _instant(text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        raise _no_time(text) from None
    if not is_likely(read.date()):
        raise _too_far(text)
    return read if read.tzinfo else read.replace(tzinfo=CHINA)


def _no_time(text: str) -> Mistake:
    return Mistake(
        f"“{text[:40]}”不是时间，要写成 2026-11-14 20:51 或 2026-11-14",
        f"{text[:40]!r} is no time; write 2026-11-14 20:51 or 2026-11-14",
    )


def is_likely(day: date) -> bool:
    """Whether a purchase's day may be meant; any other breaks what is counted from it."""
    return _FIRST_YEAR <= day.year <= LAST_YEAR


def moment_of(text: str) -> Moment:
    """Read a time as a person writes it: a minute, or a day alone, in China's time. Raises Mistake."""
    moment = _moment(text)
    if not is_likely(moment.day):
        raise _too_far(text)
    return moment


def _too_far(text: str) -> Mistake:
    return Mistake(
        f"“{text.strip()[:40]}”太早或太晚，年份要在 {_FIRST_YEAR} 到 {LAST_YEAR} 之间",
        f"{text.strip()[:40]!r} is too early or too late; the year lies between {_FIRST_YEAR} and {LAST_YEAR}",
    )


def _moment(text: str) -> Moment:
    plain = text.strip()
    try:
        return Moment(datetime.strptime(plain, "%Y-%m-%d").replace(tzinfo=CHINA), exact=False)
    except ValueError:
        pass
    for form in _MOMENTS:
        try:
            return Moment(datetime.strptime(plain, form).replace(tzinfo=CHINA))
        except ValueError:
            continue
    try:
        return Moment(datetime.fromisoformat(plain).astimezone(CHINA))
    except (ValueError, OverflowError):
        raise _no_time(text) from None


def _currency(code: str) -> str:
    return CURRENCY if code.upper() == "RMB" else code.upper()


def amount_of(text: str) -> Amount:
    """Read a sum as a person writes it: `268`, `¥268.00`, `268元`, `40.00 USD`. Raises Mistake."""
    found = _SUM.fullmatch(text.strip())
    try:
        minor = int(Decimal(found["figures"].replace(",", "")) * 100) if found else -1
    except InvalidOperation:  # pragma: no cover - the pattern lets figures alone through
        minor = -1
    if found is None or not 0 <= minor <= LARGEST_SUM:
        raise Mistake(f"“{text[:40]}”不是金额，要写成 268 或 268.00", f"{text[:40]!r} is no sum; write 268 or 268.00")
    return Amount(minor, _currency(found["currency"] or CURRENCY))


def _yuan(text: str) -> int:
    """Read a sum in yuan into fen."""
    amount = amount_of(text)
    if amount.currency != CURRENCY:
        raise Mistake(f"“{text[:40]}”要写成人民币", f"{text[:40]!r} has to be in yuan")
    return amount.minor


_SCALARS: Final[Mapping[Any, Callable[[str], Any]]] = {
    str: _text, int: _number, bool: _boolean, date: _day, datetime: _instant, Moment: moment_of, Amount: amount_of,
}  # fmt: skip


@cache
def _hints(wanted: type[msgspec.Struct]) -> dict[str, Any]:
    return typing.get_type_hints(wanted)


def _is_elsewhere(wanted: type[msgspec.Struct], name: str) -> bool:
    return f"{wanted.__name__}.{name}" in ELSEWHERE


# ---- writing


class _TextAlone(VersionedResolver):
    """Takes every plain value for text: 0123 keeps its zero and yes stays a word."""

    @property
    def versioned_resolver(self) -> dict[str, list[Any]]:
        return {}


def _dumped(yaml: YAML, tree: Any) -> bytes:
    stream = io.BytesIO()
    yaml.dump(tree, stream)
    return stream.getvalue()


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.Resolver = _TextAlone
    yaml.allow_unicode = True
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def plain_of(value: Any) -> Any:
    """Write a value as text, lists and mappings, as it is read back."""
    if isinstance(value, Mapping):
        return {str(name): plain_of(Amount(one) if str(name).endswith(FEN) else one) for name, one in value.items()}
    if isinstance(value, tuple):
        return [plain_of(one) for one in value]
    if isinstance(value, msgspec.Struct) and not isinstance(value, Moment | Amount):
        return dict(_fields(value))
    written = _written(value)
    return LiteralScalarString(written) if "\n" in written else written


def _written(value: Any) -> str:
    """Write a single value."""
    if isinstance(value, Moment | Amount):
        return value.words()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(CHINA).isoformat(" ")
    return "" if value is None else str(value)


def _fields(value: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    """Give the fields that say something: those of an entry of a list leave out what is as usual."""
    blank = _defaults(type(value))
    for one in msgspec.structs.fields(value):
        held = getattr(value, one.name)
        if not _is_elsewhere(type(value), one.name) and (isinstance(value, Story) or held != blank.get(one.name, ...)):
            yield one.name, plain_of(held)


@cache
def _defaults(wanted: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        one.name: one.default_factory() if one.default is msgspec.NODEFAULT else one.default
        for one in msgspec.structs.fields(wanted)
        if not one.required
    }


@cache
def _blank(wanted: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: plain_of(value) for name, value in _defaults(wanted).items()}


def _merge(old: CommentedMap, new: Mapping[str, Any], blank: Mapping[str, Any]) -> None:
    """Change what differs, in place; `blank` is what a name that is not there means."""
    for name, value in new.items():
        if name in old:
            old[name] = _merged(old[name], value)
        elif value != blank.get(name, ...):
            old[name] = value
    for name in [name for name in old if name not in new]:
        if not isinstance(old[name], str) or old[name].strip():
            del old[name]


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, CommentedMap) and isinstance(new, Mapping):
        _merge(old, new, {})
        return old
    if isinstance(old, CommentedSeq) and isinstance(new, list):
        for place, value in enumerate(new):
            if place < len(old):
                old[place] = _merged(old[place], value)
            else:
                old.append(value)
        del old[len(new) :]
        return old
    return old if isinstance(old, str) and old.strip() == new else new
