"""Named queries read from a feature's `queries.sql`.

A query is a line `-- name: place_order`, one or more comment lines that say what it does and which index it
uses, then the SQL up to the next name. What stands before the first name may only be comments.
"""

import re
from collections.abc import Iterator, Mapping
from importlib import resources

_NAME = re.compile(r"--\s*name:\s*(?P<name>.*)")
_GOOD_NAME = re.compile(r"[a-z][a-z0-9_]*")


class QueriesMalformedError(Exception):
    """A query file has a duplicate, missing or wrong name, no sentence, or no SQL; it names file and line."""


class Queries(Mapping[str, str]):
    """SQL texts by name: `queries["place_order"]` or `queries.place_order`."""

    def __init__(self, texts: Mapping[str, str], source: str) -> None:
        self._texts = dict(texts)
        self._source = source

    def __getitem__(self, name: str) -> str:
        return self._texts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __getattr__(self, name: str) -> str:
        try:
            return self._texts[name]
        except KeyError:
            raise AttributeError(f"{self._source} has no query named {name}") from None


def load_queries(package: str, name: str = "queries.sql") -> Queries:
    """Read the query file of a package, such as `load_queries("kabao.orders")`.

    Raises `QueriesMalformedError`; called at import, so that a broken file never reaches a customer.
    """
    text = resources.files(package).joinpath(name).read_text("utf-8")
    return parse_queries(text, source=f"{package}/{name}")


def parse_queries(text: str, *, source: str) -> Queries:
    """Split a query file into its named queries; see the module for the form."""
    texts: dict[str, str] = {}
    for name, first_line, lines in _sections(text, source):
        if name in texts:
            raise QueriesMalformedError(f"{source}:{first_line}: {name} is defined twice")
        comments = 0
        while comments < len(lines) and lines[comments].startswith("--"):
            comments += 1
        sentence = "".join(line.lstrip("-").strip() for line in lines[:comments])
        sql = "\n".join(lines[comments:]).strip().removesuffix(";").rstrip()
        if not sentence:
            raise QueriesMalformedError(f"{source}:{first_line}: {name} has no sentence below its name")
        if not sql:
            raise QueriesMalformedError(f"{source}:{first_line}: {name} has no SQL")
        texts[name] = sql
    if not texts:
        raise QueriesMalformedError(f"{source}: holds no named query")
    return Queries(texts, source)


def _sections(text: str, source: str) -> Iterator[tuple[str, int, list[str]]]:
    name, first_line, lines = "", 0, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        match = _NAME.fullmatch(line.strip())
        if match is not None:
            if name:
                yield name, first_line, lines
            name, first_line, lines = match["name"].strip(), number, []
            if _GOOD_NAME.fullmatch(name) is None:
                raise QueriesMalformedError(f"{source}:{number}: {name!r} is not a name such as place_order")
        elif name:
            lines.append(line)
        elif line.strip() and not line.startswith("--"):
            raise QueriesMalformedError(f"{source}:{number}: SQL before the first name")
    if name:
        yield name, first_line, lines
