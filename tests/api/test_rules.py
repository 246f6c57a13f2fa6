"""The rules over the API: public, brief for the version in force, whole for every published one."""

import httpx

from kabao.adjudication.service import packaged_book
from kabao.adjudication.store import VersionCard
from kabao.wiring import App
from rulebooks import renamed

BOOK = packaged_book()


async def test_anyone_reads_the_rules_in_force(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/rules")
    assert answer.status_code == 200
    rules = answer.json()
    assert rules["version"] == BOOK.edition.version
    assert [one["version"] for one in rules["versions"]] == [BOOK.edition.version]
    assert len(rules["articles"]) == len(BOOK.articles)
    numbers = [one["number"] for one in rules["articles"]]
    assert numbers == sorted(numbers)
    assert set(rules["articles"][0]) == {"id", "number", "chapter", "title", "message", "source"}


async def test_a_published_version_is_shown_whole_and_a_draft_or_unknown_one_not(
    client: httpx.AsyncClient, app: App
) -> None:
    text = renamed("2027.1")
    assert isinstance(await app.rulebook.publish(text), VersionCard)
    rules = (await client.get("/api/v1/rules")).json()
    assert rules["version"] == BOOK.edition.version
    assert [one["version"] for one in rules["versions"]] == ["2027.1", BOOK.edition.version]
    for version in (BOOK.edition.version, "2027.1"):
        whole = (await client.get(f"/api/v1/rules/{version}")).json()
        assert whole["version"]["version"] == version
        first = whole["articles"][0]
        assert {"when", "unless", "decides", "cites", "examples"} <= set(first)
        assert first["title"]["en"]
        assert first["cites"][0]["zh"].startswith("《")
    assert (await client.get("/api/v1/rules/1.0")).status_code == 404


async def test_the_rules_stand_in_the_openapi_document_without_a_token(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/schema/openapi.json")).json()["paths"]
    assert "security" not in paths["/api/v1/rules"]["get"]
    assert "/api/v1/rules/{version}" in paths
