"""What the catalogue's files hold, and the error that names file and line. The product loads these from JSON."""

from datetime import date

import msgspec

from kabao.law.model import Instrument, Mark, Place


class CatalogueError(ValueError):
    """A catalogue that cannot be used; the message begins with file and line."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file, self.line, self.message = file, line, message


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A citation as it stands in a file; what is left out is taken from its instrument."""

    id: str
    summary_zh: str
    summary_en: str
    article: int | str | None = None
    paragraph: int | None = None
    item: int | None = None
    topic_zh: str | None = None
    topic_en: str | None = None
    in_force_from: date | None = None
    in_force_to: date | None = None
    mark: Mark | None = None
    sources: tuple[str, ...] | None = None
    verified_on: date | None = None
    note: str | None = None


class InstrumentFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: the instrument and its citations."""

    instrument: Instrument
    citations: tuple[Entry, ...]


class CatalogueFile(msgspec.Struct, frozen=True):
    """Everything, as the JSON beside the YAML holds it; ``sources`` explains each source's short name."""

    sources: dict[str, str]
    instruments: tuple[InstrumentFile, ...]


def place_of(entry: Entry) -> Place:
    """The place an entry names."""
    return Place(None if entry.article is None else str(entry.article), entry.paragraph, entry.item)
