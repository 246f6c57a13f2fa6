"""The rules as anyone may read them: the book in force, its chapters, a search, versions and what they changed."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kabao.adjudication.model import (
    Base,
    Component,
    Damages,
    Less,
    Loss,
    Outcome,
    Party,
    Payer,
    Price,
    Recourse,
    Remedy,
    Shares,
    Value,
)
from kabao.adjudication.service import packaged_book, packaged_text
from kabao.adjudication.store import VersionCard
from kabao.kernel import FixedClock
from kabao.postgres import Database
from kabao.web.rulewords import value_words
from kabao.wiring import Settings, build, create_asgi
from pages import Postbox, Site
from rulebooks import EARLIER, SAMPLE, edited, renamed

BOOK = packaged_book()
VERSION = BOOK.edition.version
SMALL = 60 * 1024


async def test_the_rules_in_force_are_read_with_anchors_that_decisions_link_to(site: Site) -> None:
    reader = site.stranger()
    page = await reader.get("/rules")
    assert page.status == 200
    for article in BOOK.articles.values():
        assert f'id="r{article.number}"' in page.text
        assert f"第 {article.number} 条" in page.text
    assert "不是终局" in page.words
    assert "以中文为准" in page.words
    assert "现在施行" in page.words
    assert len(gzip.compress(page.text.encode())) < SMALL
    assert page.words == (await reader.get(f"/rules/{VERSION}")).words
    assert '<a href="/rules"' in (await reader.get("/")).text


async def test_a_chapter_says_when_an_article_applies_what_follows_and_the_law(site: Site) -> None:
    reader = site.stranger()
    for chapter in BOOK.chapters:
        page = await reader.get(f"/rules/{VERSION}/{chapter}")
        assert page.status == 200
        assert len(gzip.compress(page.text.encode())) < SMALL
        for article in BOOK.articles.values():
            if article.chapter == chapter:
                assert f'id="r{article.number}"' in page.text
                assert all(BOOK.facts[one.fact].label.zh in page.text for one in article.when if one.fact in BOOK.facts)
                assert article.examples[0].zh in page.text
    page = await reader.get(f"/rules/{VERSION}/key")
    assert "同时符合这些才适用" in page.words
    assert "有其中一项就不适用" in page.words
    assert "《消费者权益保护法》第" in page.text


async def test_english_stands_where_it_is_asked_for(site: Site) -> None:
    page = await site.stranger().get("/rules?lang=en")
    assert BOOK.edition.title.en in page.text
    assert "The Chinese text prevails" in page.words
    assert f'href="/rules/{VERSION}/key?lang=en"' in page.text
    page = await site.stranger().get(f"/rules/{VERSION}/key?lang=en")
    assert "Applies where all of these hold" in page.words
    assert "Consumer Rights Protection Law, Article" in page.words
    assert 'lang="en"' in page.text


@pytest.mark.parametrize(
    ("words", "numbers"), [("第1条", {1}), ("2", {2}), ("实名 违法", {1}), ("没有这样的话", set()), ("1 2", {1, 2})]
)
async def test_a_search_finds_articles_by_words_or_number(site: Site, words: str, numbers: set[int]) -> None:
    page = await site.stranger().get(f"/rules?q={words}")
    assert page.status == 200
    shown = {article.number for article in BOOK.articles.values() if f'id="r{article.number}"' in page.text}
    assert shown == numbers
    assert ("没有找到" in page.words) == (not numbers)


async def test_what_anyone_types_comes_back_as_text(site: Site) -> None:
    page = await site.stranger().get("/rules?q=<b>x</b>" + "x" * 100)
    assert "<b>x" not in page.text
    assert "&lt;b&gt;x" in page.text
    assert "x" * 60 not in page.text


@pytest.mark.parametrize(
    "path", ["/rules/1.0", f"/rules/{VERSION}/nowhere", "/rules/1.0/key", f"/rules/{VERSION}/diff/1.0", "/rules/a%2Fb"]
)
async def test_an_unknown_version_or_chapter_leads_back_to_the_rules(site: Site, path: str) -> None:
    page = await site.stranger().get(path)
    assert page.status == 404
    assert "/rules" in page.read.links


async def test_a_site_without_rules_says_so(database: Database, tmp_path: Path) -> None:
    app = await build(Settings(data=tmp_path), database)
    bare = Site(app, create_asgi(app), Postbox())
    reader = bare.stranger()
    assert (await reader.get("/rules")).status == 404
    page = await reader.get("/rules/versions")
    assert "还没有公布规则" in page.words
    await reader.client.aclose()


async def test_a_market_of_the_first_version_reads_what_the_second_changed(database: Database, tmp_path: Path) -> None:
    start = datetime(2026, 11, 20, 1, tzinfo=UTC)
    first = await build(Settings(data=tmp_path), database, clock=FixedClock(start))
    assert isinstance(await first.rulebook.publish(EARLIER["2026.1"].read_text("utf-8")), VersionCard)
    later = await build(Settings(data=tmp_path), database, clock=FixedClock(start + timedelta(days=16)))
    await later.rulebook.begin()
    reader = Site(later, create_asgi(later), Postbox()).stranger()
    # What a newer kabao brought along is nobody's business until it is published.
    assert VERSION not in (await reader.get("/rules/versions")).words
    assert isinstance(await later.rulebook.publish(packaged_text()), VersionCard)
    page = await reader.get("/rules/versions")
    assert f"/rules/2026.1/diff/{VERSION}" in page.read.links
    page = await reader.get(f"/rules/2026.1/diff/{VERSION}")
    added = sum(article.chapter == "merchant" for article in BOOK.articles.values())
    assert f"改了 5 条，新增 {added} 条，删去 0 条" in page.words
    assert "商家提出的诉求" in (await reader.get(f"/rules/{VERSION}")).words
    assert (await reader.get("/rules/2026.1")).words.count("商家提出的诉求") == 0
    await reader.client.aclose()


async def test_a_coming_version_is_announced_compared_and_then_binds(database: Database, tmp_path: Path) -> None:
    start = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    first = await build(Settings(data=tmp_path), database, clock=FixedClock(start))
    await first.rulebook.begin()
    text = renamed("2027.1")
    text = edited("title: {zh: 违法商品不裁决", "title: {zh: 违法的商品不裁决", text)
    text = edited("negotiation: {value: 48,", "negotiation: {value: 72,", text)
    card = await first.rulebook.publish(text)
    assert isinstance(card, VersionCard)
    site = Site(first, create_asgi(first), Postbox())
    reader = site.stranger()
    page = await reader.get("/rules")
    assert "已经公布：2027.1 版，3月17日 17:30 起施行" in page.words
    assert "违法的商品不裁决" not in page.text
    page = await reader.get("/rules/2027.1")
    assert "还没施行" in page.words
    assert "违法的商品不裁决" in page.text
    page = await reader.get(f"/rules/{VERSION}/diff/2027.1")
    assert "改了 1 条，新增 0 条，删去 0 条" in page.words
    assert "违法的商品不裁决" in page.text
    assert "违法商品不裁决" in page.text
    assert "48 小时" in page.words
    assert "72 小时" in page.words
    assert "没有不同" in (await reader.get(f"/rules/{VERSION}/diff/{VERSION}")).words
    page = await reader.get("/rules/versions")
    assert f"/rules/{VERSION}/diff/2027.1" in page.read.links
    await reader.client.aclose()

    later = await build(Settings(data=tmp_path), database, clock=FixedClock(start + timedelta(days=16)))
    reader = Site(later, create_asgi(later), Postbox()).stranger()
    assert "违法的商品不裁决" in (await reader.get("/rules")).text
    page = await reader.get(f"/rules/{VERSION}")
    assert "这一版已经换掉" in page.words
    assert "违法商品不裁决" in page.text
    await reader.client.aclose()


async def test_two_books_compared_name_what_is_new_and_gone(database: Database, tmp_path: Path) -> None:
    app = await build(Settings(data=tmp_path), database)
    await app.rulebook.begin()
    card = await app.rulebook.publish(SAMPLE)
    assert isinstance(card, VersionCard), card
    reader = Site(app, create_asgi(app), Postbox()).stranger()
    page = await reader.get(f"/rules/{VERSION}/diff/{card.version}")
    assert page.status == 200
    assert "新增的条文" in page.words
    assert "删去的条文" in page.words
    assert "没有这个事实" in page.words
    await reader.client.aclose()


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (Price(Outcome.FULL_REFUND, Base.FULL), "全额退款", "a full refund"),
        (Price(Outcome.PARTIAL_REFUND, Base.SHARE, 60), "部分退款，退价款的 60%", "60% of the price"),
        (
            Price(Outcome.PARTIAL_REFUND, Base.FULL, less=Less.FEE, fee_percent=10),
            "真的发生的费用，最多扣价款的 10%",
            "really incurred; at most 10% of the price",
        ),
        (Price(Outcome.PARTIAL_REFUND, Base.FAULT, low=40, high=70), "比例由人在 40% 到 70% 之间定", "between 40%"),
        (
            Price(Outcome.FULL_REFUND, Base.FULL, remedy=(Remedy.REFUND, Remedy.REPLACE), buyer_chooses=False),
            "商家可以选退款、补发",
            "the merchant may choose a refund or a replacement",
        ),
        (Shares(), "谁都没有责任", "nobody"),
        (Shares(buyer=40, merchant=60), "商家 60%，买家 40%", "the merchant 60%; the buyer 40%"),
        (Damages(), "没有", "none"),
        (
            Damages((Component(Loss.MULTIPLE, times=3, floor_minor=50000),)),
            "价款的 3 倍（不足 ¥500.00 的按 ¥500.00）",
            "3 times the price (at least ¥500.00)",
        ),
        (
            Damages(
                (
                    Component(
                        Loss.GREATER_OF,
                        options=(Component(Loss.PROMISE, less_refund=True), Component(Loss.PROVEN_LOSS, cap_minor=100)),
                    ),
                )
            ),
            "以下取高的：按承诺的倍数赔（退款算在里面）、证明了的损失（最多 ¥1.00）",
            "the greater of: the promised multiple of the price (the refund counts towards it);",
        ),
        (Payer(Party.MERCHANT), "商家", "the merchant"),
        (
            Payer(Party.PLATFORM, Recourse.UPSTREAM, Party.MERCHANT),
            "平台，商家连带承担，之后可以向上游供货方追偿",
            "jointly with the merchant",
        ),
    ],
)
def test_what_an_article_decides_is_said_in_words(value: Value, zh: str, en: str) -> None:
    assert zh in value_words(value, "zh")
    assert en in value_words(value, "en")
