"""An article as plain values, for the command line and the API."""

from typing import Any

from kabao.adjudication import findings
from kabao.adjudication.authority import authorities
from kabao.adjudication.model import Article, Rulebook


def article_card(book: Rulebook, article: Article) -> dict[str, Any]:
    """Return everything about an article as plain values."""
    beaten = {issue.value: list(book.beaten_by[issue].get(article.article_id, ())) for issue in article.values}
    beats = {
        issue.value: [loser for loser, by in book.beaten_by[issue].items() if article.article_id in by]
        for issue in article.values
    }
    return {
        "id": article.article_id,
        "number": article.number,
        "chapter": article.chapter,
        "title": {"zh": article.title.zh, "en": article.title.en},
        "source": article.source.value,
        "mandatory": article.mandatory,
        "claims": list(article.claims),
        "when": [str(one) for one in article.when],
        "unless": [str(one) for one in article.unless],
        "decides": {issue.value: findings.brief(value) for issue, value in article.values.items()},
        "beats": beats,
        "yields_to": beaten,
        "message": {"zh": article.message.zh, "en": article.message.en},
        "summary": article.summary and {"zh": article.summary.zh, "en": article.summary.en},
        "examples": [{"zh": one.zh, "en": one.en} for one in article.examples],
        "cites": [
            {"cite": one.cite, "zh": one.citation.text_zh() if one.citation else None,
             "summary_zh": one.citation.summary_zh if one.citation else None, "fault": one.fault or None}
            for cite in article.cites
            for one in authorities(cite, book.edition.effective)
        ],
        "line": article.line,
    }  # fmt: skip
