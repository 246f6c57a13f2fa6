"""The rules as programs read them: the version in force, what is coming, and every version whole."""

from datetime import datetime
from typing import Any, Self

import msgspec
from litestar import get
from litestar.params import FromPath

from kabao.adjudication.cards import article_card
from kabao.adjudication.model import Article, Rulebook
from kabao.adjudication.store import VersionCard
from kabao.api.documents import READING
from kabao.api.entry import PUBLIC, Caller, services_of
from kabao.api.problems import granted, refuse_now
from kabao.kernel import Refusal


class VersionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A published version, from when it binds, and the SHA-256 of its text."""

    version: str
    published_at: datetime | None
    effective_at: datetime | None
    is_major: bool
    digest: str

    @classmethod
    def of(cls, card: VersionCard) -> Self:
        """Write a version."""
        return cls(
            version=card.version,
            published_at=card.published_at,
            effective_at=card.effective_at,
            is_major=card.is_major,
            digest=card.digest.hex(),
        )


class ArticleBrief(msgspec.Struct, frozen=True, kw_only=True):
    """An article in one sentence."""

    id: str
    number: int
    chapter: str
    title: str
    message: str
    source: str

    @classmethod
    def of(cls, article: Article) -> Self:
        """Write an article in brief."""
        return cls(
            id=article.article_id,
            number=article.number,
            chapter=article.chapter,
            title=article.title.zh,
            message=article.message.zh,
            source=article.source.value,
        )


class RulesOut(msgspec.Struct, frozen=True, kw_only=True):
    """The rules in force, with every published version, the latest to bind first; the Chinese text prevails."""

    version: str
    title: str
    versions: list[VersionOut]
    chapters: dict[str, str]
    articles: list[ArticleBrief]


class RulesVersionOut(msgspec.Struct, frozen=True, kw_only=True):
    """One version whole: each article with conditions, what it decides, law and examples, in both languages."""

    version: VersionOut
    title: dict[str, str]
    chapters: dict[str, dict[str, str]]
    articles: list[dict[str, Any]]


@get("/rules", opt={PUBLIC: True}, responses=READING, tags=["rules"])
async def rules(request: Caller) -> RulesOut:
    """Show the rules in force in brief, and every version there was or will be."""
    rulebook = services_of(request).rulebook
    book = granted(await rulebook.in_force()).book
    return RulesOut(
        version=book.edition.version,
        title=book.edition.title.zh,
        versions=[VersionOut.of(card) for card in await rulebook.versions() if card.effective_at is not None],
        chapters={name: label.zh for name, label in book.chapters.items()},
        articles=[ArticleBrief.of(article) for article in _ordered(book)],
    )


@get("/rules/{version:str}", opt={PUBLIC: True}, responses=READING, tags=["rules"])
async def rules_version(request: Caller, version: FromPath[str]) -> RulesVersionOut:
    """Show one published version whole; old ones stay readable."""
    rulebook = services_of(request).rulebook
    card = next((one for one in await rulebook.versions() if one.version == version and one.effective_at), None)
    if card is None:
        raise refuse_now(Refusal.NOT_FOUND)
    book = granted(await rulebook.book(version))
    return RulesVersionOut(
        version=VersionOut.of(card),
        title={"zh": book.edition.title.zh, "en": book.edition.title.en},
        chapters={name: {"zh": label.zh, "en": label.en} for name, label in book.chapters.items()},
        articles=[article_card(book, article) for article in _ordered(book)],
    )


def _ordered(book: Rulebook) -> list[Article]:
    return sorted(book.articles.values(), key=lambda one: one.number)


open_handlers = [rules, rules_version]
