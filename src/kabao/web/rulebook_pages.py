"""The rules as anyone may read them: the book in force, every version there was or will be, and what differs."""

from itertools import pairwise
from typing import Any, Final

import msgspec
from litestar import get
from litestar.params import FromPath

from kabao.adjudication.model import Rulebook
from kabao.adjudication.store import VersionCard
from kabao.kernel import Refusal, Refused
from kabao.web.http import Page, PageRequest, Visit, enter, page, refusal_page
from kabao.web.rulediff import compared
from kabao.web.rulewords import LABELS, ArticleWords, Language, article_words, found, say

SEARCH_LIMIT: Final = 60
NOW, COMING, PAST = "now", "coming", "past"


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A published version and whether it binds now, will, or did."""

    card: VersionCard
    stands: str


@get("/rules")
async def rules_page(request: PageRequest) -> Page:
    """Show the rules in force, or what a search finds in them."""
    visit = await enter(request)
    known = await _known(visit)
    current = next((one for one in known if one.stands == NOW), None)
    return _gone(visit) if current is None else await _book_page(visit, known, current)


@get("/rules/versions")
async def versions_page(request: PageRequest) -> Page:
    """List what is coming, what binds now and everything that ever did, each with what it changed."""
    visit = await enter(request)
    known = await _known(visit)
    before = {newer.card.version: older.card.version for newer, older in pairwise(known)}
    return page("rules_versions.html", visit, known=known, before=before)


@get("/rules/{version:str}")
async def version_page(request: PageRequest, version: FromPath[str]) -> Page:
    """Show one version, old ones too, or what a search finds in it."""
    visit = await enter(request)
    known = await _known(visit)
    chosen = next((one for one in known if one.card.version == version), None)
    return _gone(visit) if chosen is None else await _book_page(visit, known, chosen)


@get("/rules/{version:str}/{chapter:str}")
async def chapter_page(request: PageRequest, version: FromPath[str], chapter: FromPath[str]) -> Page:
    """Show a chapter whole: when each article applies, what follows, the law and examples."""
    visit = await enter(request)
    known = await _known(visit)
    chosen = next((one for one in known if one.card.version == version), None)
    book = None if chosen is None else await visit.services.rulebook.book(version)
    if chosen is None or book is None or isinstance(book, Refused) or chapter not in book.chapters:
        return _gone(visit)
    language = _language(visit)
    names = list(book.chapters)
    at = names.index(chapter)
    return page(
        "rules_chapter.html",
        visit,
        **_common(book, chosen, language),
        chapter=chapter,
        chapters=book.chapters,
        chapter_of={one.number: one.chapter for one in book.articles.values()},
        articles=_articles(book, language, chapter),
        before=names[at - 1] if at else "",
        after=names[at + 1] if at + 1 < len(names) else "",
    )


@get("/rules/{version:str}/diff/{other:str}")
async def diff_page(request: PageRequest, version: FromPath[str], other: FromPath[str]) -> Page:
    """Show what differs between two versions, article by article, side by side."""
    visit = await enter(request)
    published = {one.card.version: one for one in await _known(visit)}
    books: list[Rulebook] = []
    for name in (version, other):
        book = await visit.services.rulebook.book(name) if name in published else None
        if book is None or isinstance(book, Refused):
            return _gone(visit)
        books.append(book)
    return page(
        "rules_diff.html",
        visit,
        old=published[version],
        new=published[other],
        diff=compared(books[0], books[1]),
        chapter_of=[{one.number: one.chapter for one in book.articles.values()} for book in books],
    )


async def _known(visit: Visit) -> list[Known]:
    """List the published versions, the latest to bind first; drafts are nobody's business yet."""
    rulebook = visit.services.rulebook
    current = await rulebook.in_force()
    if isinstance(current, Refused):
        return []
    known: list[Known] = []
    stands = COMING
    for card in await rulebook.versions():
        if card.effective_at is None:
            continue
        if card.version == current.book.edition.version:
            stands = NOW
        known.append(Known(card=card, stands=stands))
        stands = PAST if stands == NOW else stands
    return known


async def _book_page(visit: Visit, known: list[Known], chosen: Known) -> Page:
    book = await visit.services.rulebook.book(chosen.card.version)
    if isinstance(book, Refused):
        return refusal_page(visit, book, back="/rules", link="看现在的规则")
    language = _language(visit)
    articles = _articles(book, language)
    words = visit.request.query_params.get("q", "")[:SEARCH_LIMIT].strip()
    return page(
        "rules.html",
        visit,
        **_common(book, chosen, language),
        q=words,
        results=found(articles, words) if words else [],
        by_chapter=[
            (name, say(label, language), [one for one in articles if one.chapter == name])
            for name, label in book.chapters.items()
        ],
        coming=[one.card for one in known if one.stands == COMING],
    )


def _common(book: Rulebook, chosen: Known, language: Language) -> dict[str, Any]:
    return {
        "lang": language,
        "edition": book.edition,
        "card": chosen.card,
        "stands": chosen.stands,
        "say": {name: say(label, language) for name, label in LABELS.items()},
    }


def _articles(book: Rulebook, language: Language, chapter: str = "") -> list[ArticleWords]:
    """Write the articles in words by number, of one chapter or all."""
    ordered = sorted(book.articles.values(), key=lambda one: one.number)
    return [article_words(book, one, language) for one in ordered if chapter in {"", one.chapter}]


def _language(visit: Visit) -> Language:
    return "en" if visit.request.query_params.get("lang") == "en" else "zh"


def _gone(visit: Visit) -> Page:
    return refusal_page(visit, Refused(Refusal.NOT_FOUND), back="/rules", link="看现在的规则")


handlers = [rules_page, versions_page, version_page, chapter_page, diff_page]
