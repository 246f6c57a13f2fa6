"""The catalogue as people write it: one YAML file for each instrument, read strictly, every error with file and line.

Only this file needs a YAML parser; what it reads is kept beside it as JSON, which is what the product loads.
"""

import re
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, TypeVar

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from kabao.law.entries import CatalogueError, CatalogueFile, Entry, InstrumentFile, place_of
from kabao.law.model import CITABLE_MARKS, Instrument, Mark, canonical, exists

FOLDER: Final = "instruments"
SOURCES: Final = "sources.yaml"
LARGEST_FILE: Final = 1_000_000  # bytes; the longest today has 30,000
DEEPEST: Final = 8
SLUG: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

Lines = dict[str, int]
T = TypeVar("T")


def read_folder(folder: Traversable | None = None) -> CatalogueFile:
    """Read ``sources.yaml`` and ``instruments/*.yaml`` (default: those of the product).

    Raises CatalogueError for the first thing wrong.
    """
    root = folder or files("kabao.law")
    sources = read_yaml(_text(root / SOURCES), SOURCES, dict[str, str])[0]
    seen: dict[str, str] = {}
    paths = sorted((root / FOLDER).iterdir(), key=lambda path: path.name)
    return CatalogueFile(
        sources,
        tuple(read_instrument(_text(path), path.name, sources, seen) for path in paths if path.name.endswith(".yaml")),
    )


def read_instrument(text: str, file: str, sources: dict[str, str], seen: dict[str, str]) -> InstrumentFile:
    """Read one file; ``seen`` maps the ids taken so far to their files and takes those of this one."""
    content, lines = read_yaml(text, file, InstrumentFile)
    for path, message in _breaches(content, sources, seen, file):
        raise CatalogueError(file, _line(lines, path), message)
    return content


def read_yaml(text: str, file: str, shape: type[T]) -> tuple[T, Lines]:
    """Read YAML without anchors, tags and repeated keys into a type; lines are keyed by path ($.citations[0].id)."""
    if len(text) > LARGEST_FILE:
        raise CatalogueError(file, 1, f"larger than {LARGEST_FILE} characters")
    lines: Lines = {"$": 1}
    try:
        node = YAML(typ="safe", pure=True).compose(text)
        plain = _plain(node, "$", lines, file, 0)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise CatalogueError(file, mark.line + 1 if mark else 1, f"not YAML: {error.problem}") from None
    except YAMLError as error:
        raise CatalogueError(file, 1, f"not YAML: {str(error).splitlines()[0]}") from None
    try:
        return msgspec.convert(plain, shape, strict=True), lines
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        raise CatalogueError(file, _line(lines, path.removesuffix("`")), message) from None


def _text(path: Traversable) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CatalogueError(path.name, 1, "not UTF-8") from None
    except OSError as error:
        raise CatalogueError(path.name, 1, f"cannot be read: {error.strerror}") from None


def _line(lines: Lines, path: str) -> int:
    """The line of a path, or of the nearest thing around it that has one."""
    while path not in lines:
        around = re.sub(r"(?:\.[^.\[\]]*|\[[^\[\]]*\])$", "", path)
        path = "$" if around == path else around
    return lines[path]


def _plain(node: Node | None, path: str, lines: Lines, file: str, depth: int) -> Any:
    if node is None:
        raise CatalogueError(file, 1, "is empty")
    line = node.start_mark.line + 1
    lines[path] = line
    if node.anchor is not None:
        raise CatalogueError(file, line, "anchors (&) and aliases (*) are not used here")
    if depth > DEEPEST:
        raise CatalogueError(file, line, "nested too deeply")
    match node:
        case ScalarNode():
            return _scalar(node, file, line)
        case SequenceNode():
            return [_plain(each, f"{path}[{number}]", lines, file, depth + 1) for number, each in enumerate(node.value)]
        case _:  # a mapping: there is no fourth kind
            plain: dict[str, Any] = {}
            for name, value in node.value:
                if not isinstance(name, ScalarNode):
                    raise CatalogueError(file, name.start_mark.line + 1, "a key is text")
                if name.value in plain:
                    raise CatalogueError(file, name.start_mark.line + 1, f"{name.value!r} stands twice")
                plain[name.value] = _plain(value, f"{path}.{name.value}", lines, file, depth + 1)
            return plain


def _scalar(node: ScalarNode, file: str, line: int) -> Any:
    kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
    match kind:
        case "str" | "timestamp":  # a date is checked where a date is wanted
            return node.value
        case "null":
            return None
        case "bool" if node.value in {"true", "false"}:
            return node.value == "true"
        case "int" if re.fullmatch(r"0|[1-9]\d{0,5}", node.value):
            return int(node.value)
    raise CatalogueError(file, line, f"{node.value!r} is read as {kind}; put text into quotes")


def _breaches(
    content: InstrumentFile, sources: dict[str, str], seen: dict[str, str], file: str
) -> Iterator[tuple[str, str]]:
    instrument = content.instrument
    if file != f"{instrument.id}.yaml":
        yield "$.instrument.id", f"the file of {instrument.id!r} is {instrument.id}.yaml"
    at = "$.instrument"
    yield from _record_breaches(at, instrument.id, instrument.sources, instrument.mark, instrument.verified_on, sources)
    for number, entry in enumerate(content.citations):
        at = f"$.citations[{number}]"
        if entry.id in seen:
            yield f"{at}.id", f"{entry.id!r} stands in {seen[entry.id]} already"
        seen[entry.id] = file
        if entry.id != instrument.id and not entry.id.startswith(f"{instrument.id}-"):
            yield f"{at}.id", f"begins with {instrument.id}-"
        mark = entry.mark or instrument.mark
        verified_on = entry.verified_on or instrument.verified_on
        named = instrument.sources if entry.sources is None else entry.sources
        yield from _record_breaches(at, entry.id, named, mark, verified_on, sources)
        start, end = entry.in_force_from or instrument.in_force_from, entry.in_force_to or instrument.in_force_to
        if end is not None and end < start:
            yield f"{at}.in_force_to", "ends before it begins"
        yield from _place_breaches(at, entry, instrument, mark)


def _record_breaches(
    at: str, slug: str, named: tuple[str, ...], mark: Mark, verified_on: date | None, sources: dict[str, str]
) -> Iterator[tuple[str, str]]:
    if not SLUG.fullmatch(slug):
        yield f"{at}.id", f"{slug!r} is not made of a-z, 0-9 and single hyphens"
    if not named:
        yield f"{at}.sources", "names no source"
    for name in named:
        if name not in sources:
            yield f"{at}.sources", f"{name!r} is not explained in {SOURCES}"
    if mark in CITABLE_MARKS and verified_on is None:
        yield at, f"marked {mark}, yet verified_on is missing"


def _place_breaches(at: str, entry: Entry, instrument: Instrument, mark: Mark) -> Iterator[tuple[str, str]]:
    place = place_of(entry)
    if place.article is None:
        if entry.paragraph or entry.item:
            yield at, "a paragraph or item without its article"
        if not entry.topic_zh or not entry.topic_en:
            yield at, "without an article it needs topic_zh and topic_en"
        return
    if not re.fullmatch(r"[1-9]\d{0,3}(?:-[1-9]\d?)?", place.article):
        yield f"{at}.article", f"{place.article!r} is no article number such as 25 or '287-2'"
        return
    shape = instrument.shapes.get(place.article)
    if shape is None:
        if mark in CITABLE_MARKS:
            yield f"{at}.article", f"marked {mark}, yet {instrument.id} has no shape for Article {place.article}"
    elif canonical(shape, place) != place:
        yield at, "an article of one paragraph is cited without it, and an item with the paragraph that lists it"
    elif not exists(shape, place):
        yield at, f"Article {place.article} has no such paragraph or item; its shape is {list(shape)}"
