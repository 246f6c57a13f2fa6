"""The catalogue in memory: loaded once from the JSON built of the YAML files, looked up by place, id or text."""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

import msgspec

from kabao.law.entries import CatalogueError, CatalogueFile, Entry, place_of
from kabao.law.mentions import Mention, mentions, name_pattern, plain
from kabao.law.model import Citation, Instrument, Place, canonical, in_force

PACKED: Final = "catalogue.json"


class Found(NamedTuple):
    """A provision named in a text; ``citation`` is None where the catalogue has none in force on the day."""

    mention: Mention
    citation: Citation | None


class Catalogue:
    """Every instrument and citation known. Nothing in it changes after loading."""

    def __init__(self, content: CatalogueFile) -> None:
        self.sources = content.sources
        self.instruments: dict[str, Instrument] = {file.instrument.id: file.instrument for file in content.instruments}
        self._by_id: dict[str, Citation] = {}
        self._by_place: dict[tuple[str, Place], tuple[Citation, ...]] = {}
        for file in content.instruments:
            for entry in file.citations:
                citation = _citation(file.instrument, entry)
                self._by_id[citation.id] = citation
                key = (file.instrument.id, citation.place)
                versions = (*self._by_place.get(key, ()), citation)
                self._by_place[key] = tuple(sorted(versions, key=lambda each: each.in_force_from))
        self._pattern, self._by_name = name_pattern(self.instruments)

    def __iter__(self) -> Iterator[Citation]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, citation_id: str) -> Citation | None:
        """Return the citation of an id such as ``xiaofa-25-1-3``."""
        return self._by_id.get(citation_id)

    def instrument(self, name: str) -> Instrument | None:
        """Return the instrument of an id or of any of its names, title marks or not."""
        return self._by_name.get(plain(name).strip().removeprefix("《").removesuffix("》"))

    def versions(
        self, instrument: str, article: int | str, paragraph: int | None = None, item: int | None = None
    ) -> tuple[Citation, ...]:
        """Return every wording known of a place, the oldest first; empty where the catalogue does not know it."""
        found = self.instrument(instrument)
        if found is None:
            return ()
        place = canonical(found.shapes.get(str(article)), Place(str(article), paragraph, item))
        return self._by_place.get((found.id, place), ())

    def resolve(
        self, instrument: str, article: int | str, paragraph: int | None = None, item: int | None = None, *, on: date
    ) -> Citation | None:
        """Return the wording in force on a day, whatever its mark; ask ``citable`` before a ruling rests on it."""
        return _in_force(self.versions(instrument, article, paragraph, item), on)

    def find(self, text: str, on: date | None = None) -> tuple[Found, ...]:
        """Find the provisions a text names, in its order; without a day, the newest wording of each."""
        found = []
        for mention in mentions(text, self._pattern, self._by_name):
            versions = self._by_place.get((mention.instrument.id, mention.place), ())
            citation = _in_force(versions, on) if on else versions[-1] if versions else None
            found.append(Found(mention, citation))
        return tuple(found)


@cache
def load_catalogue() -> Catalogue:
    """Return the product's catalogue; read once. Raises CatalogueError where the packed file is damaged."""
    return Catalogue(unpack((files("kabao.law") / PACKED).read_bytes()))


@lru_cache(maxsize=4096)
def in_english(named: str) -> str:
    """Name in English what a text names in Chinese, such as 《民法典》第四百九十七条; unknown law stays as it is."""
    found = load_catalogue().find(named)
    if not found or any(one.citation is None for one in found):
        return named
    return "; ".join(one.citation.text_en() for one in found if one.citation)


def pack(content: CatalogueFile) -> bytes:
    """Write what ``unpack`` reads, indented so that a change shows as a change."""
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"


def unpack(packed: bytes) -> CatalogueFile:
    """Read what ``pack`` wrote; raises CatalogueError."""
    try:
        return msgspec.json.decode(packed, type=CatalogueFile)
    except msgspec.MsgspecError as error:
        raise CatalogueError(PACKED, 1, str(error)) from None


def _in_force(versions: Iterable[Citation], on: date) -> Citation | None:
    return next((citation for citation in versions if in_force(citation, on)), None)


def _citation(instrument: Instrument, entry: Entry) -> Citation:
    return Citation(
        id=entry.id,
        instrument=instrument,
        place=place_of(entry),
        in_force_from=entry.in_force_from or instrument.in_force_from,
        in_force_to=entry.in_force_to or instrument.in_force_to,
        summary_zh=entry.summary_zh,
        summary_en=entry.summary_en,
        mark=entry.mark or instrument.mark,
        sources=entry.sources or instrument.sources,
        verified_on=entry.verified_on or instrument.verified_on,
        topic_zh=entry.topic_zh,
        topic_en=entry.topic_en,
        note=entry.note,
    )
