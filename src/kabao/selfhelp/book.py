"""The rulebook by which purchases made elsewhere are looked at: the packaged one, the law's articles alone."""

from datetime import date
from functools import cache
from importlib import resources

from kabao.adjudication import Adjudicator, compile_book, load_book, only_law
from kabao.adjudication.authority import authorities
from kabao.adjudication.casefile import AMOUNTS
from kabao.adjudication.model import Text
from kabao.law import CITABLE_MARKS
from kabao.selfhelp.results import Cite
from kabao.selfhelp.signs import FIRST, NONE, SIGNS
from kabao.selfhelp.storyfile import Names


@cache
def law_rules() -> Adjudicator:
    """Load and compile the packaged rulebook's law articles; read once."""
    text = resources.files("kabao.adjudication").joinpath("rulebook.yaml").read_text("utf-8")
    return Adjudicator(compile_book(only_law(load_book(text, "rulebook.yaml"))))


@cache
def names() -> Names:
    """Return the names a story may use."""
    book = law_rules().book
    return Names(
        claims=frozenset(book.claims),
        facts=frozenset(book.facts),
        amounts=frozenset(AMOUNTS) - {"price_minor"},
        signs=frozenset({*SIGNS, *FIRST, NONE}),
    )


def cites_of(written: tuple[str, ...], on: date) -> tuple[Cite, ...]:
    """Look provisions up; what is not in force on the day, or whose text was not read, is left out."""
    found: dict[str, Cite] = {}
    for one in (authority for cite in written for authority in authorities(cite, on)):
        law = one.citation
        if law is None or one.fault or law.mark not in CITABLE_MARKS:
            continue
        name = Text(law.text_zh(), law.text_en())
        found.setdefault(law.id, Cite(one.cite, name, Text(law.summary_zh, law.summary_en), law.mark.value))
    return tuple(found.values())
