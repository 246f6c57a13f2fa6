"""Blank out the markup of an HTML page, so that every word keeps its place. One pass; nothing is looked at twice."""

import re
from html import unescape
from typing import Final

from kabao.terms.waivers import WAIVER

BLANK, BLOCK, SOFT = "\x00", "\x0b", "\x1c"
"""What stands for markup, for the edge of a block, and for a line end that does not show: see ``normal``."""
BLOCKS: Final = frozenset(
    {
        "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figure", "footer", "form", "h1",
        "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "option", "p", "pre", "section",
        "table", "td", "th", "title", "tr", "ul",
    }
)  # fmt: skip
SILENT: Final = frozenset({"script", "style", "template", "noscript", "svg", "head"})
ENDS: Final = {name: re.compile(f"</{name}", re.IGNORECASE | re.ASCII) for name in SILENT}
"""Where an element that shows nothing ends. (A page in small letters can be longer than the page: ``İ``.)"""
TAG: Final = re.compile(r"<[/!?]?([a-zA-Z][a-zA-Z0-9]{0,20})")
ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,20});")


def blanked(source: str) -> str:
    """Return a text of the same length in which only the page's words are left."""
    told: list[str] = []
    position = 0
    while position < len(source):
        opening = source.find("<", position)
        opening = len(source) if opening < 0 else opening
        told.append(_words(source[position:opening]))
        if opening == len(source):
            break
        position = _markup(source, opening, told)
    return "".join(told)


def _markup(source: str, opening: int, told: list[str]) -> int:
    """Blank out what begins at a ``<``; return where it ends."""
    if source.startswith("<!--", opening):
        end = source.find("-->", opening)
        end = len(source) if end < 0 else end + 3
        comment = source[opening:end]
        told.append(comment if WAIVER.match(comment) else _blank(comment))
        return end
    tag = TAG.match(source, opening)
    if tag is None:
        told.append(source[opening])
        return opening + 1
    end = source.find(">", opening)
    if end < 0:
        told.append(_words(source[opening:]))
        return len(source)
    name = tag[1].lower()
    end += 1
    if name in SILENT and source[opening + 1] != "/" and source[end - 2] != "/":
        closing = ENDS[name].search(source, end)
        end = len(source) if closing is None else closing.start()
    told.append(BLOCK + _blank(source[opening + 1 : end]) if name in BLOCKS else _blank(source[opening:end]))
    return end


def _blank(text: str) -> str:
    """Return as much nothing, with the line ends kept for counting."""
    if "\n" not in text:
        return BLANK * len(text)
    return SOFT.join(BLANK * len(line) for line in text.split("\n"))


def _words(text: str) -> str:
    return ENTITY.sub(_character, text.replace("\n", SOFT)) if "&" in text else text.replace("\n", SOFT)


def _character(found: re.Match[str]) -> str:
    """Return what an entity stands for, and as much nothing as it is longer."""
    character = unescape(found[0])
    return (character if len(character) == 1 else " ") + BLANK * (len(found[0]) - 1)
