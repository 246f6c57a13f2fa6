"""The ten published cases told on the site, without a script: judged as the command line judges them, saved, packed."""

import io
import re
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from browser import Browser
from helptold import TOLD, Told
from helpwalk import START
from kabao.packs import check
from media import picture
from pages import Site


async def told(person: Browser, one: Told) -> str:
    """Tell a story step by step, answer what is asked, save it; returns what the step of demands said."""
    basics = dict(part.split("=") for part in one.basics.split())
    start = START | {"goods": basics["goods"], "amount": basics["payment.amount"]}
    await person.get("/help-me")
    page = await person.send("/help-me", start | ({"sign": basics["signs"]} if "signs" in basics else {}))
    if one.path == "fraud":
        assert "打 110 报警" in page.words
        answers = {"first_police_called": "unknown", "first_payment_stopped": "unknown"}
        await person.send("/help-me", {"go": "next", **answers})
    await person.send("/help-me", {"go": "next", "title": "一件商品"})
    page = await person.send("/help-me", {"go": "claim", "claim": basics["claim"]})
    known = dict(part.split("=") for part in one.answers.split())
    for _ in range(14):
        form = page.form("/help-me")
        asked = {name for name in form.names if name.startswith("answer_") and name not in form.fields}
        empty = {name for name, values in form.fields.items() if name.startswith("figure_") and values == [""]}
        given = {name: known.get(name.removeprefix("answer_"), "unknown") for name in asked}
        given |= {name: known[f"amounts.{name.removeprefix('figure_')}"] for name in empty}
        if not given:
            break
        page = await person.send("/help-me", {"go": "claim", **given})
    result = page.words
    if one.terms:
        await person.send("/help-me", {"go": "terms"})
        await person.send("/help-me", {"go": "terms", "terms": one.terms, "terms_of": "merchant"})
    mine = {name: values for name, values in person.page.form("/help-me").fields.items() if name}
    page = await person.post("/help-me/cases", mine)
    assert "已保存到你的账户" in page.words, page.words
    return result


async def test_a_published_case_goes_from_the_first_question_to_a_pack_that_verifies(
    site: Site, tmp_path: Path
) -> None:
    person, target = await site.person("买家一"), tmp_path / "pack.zip"
    for name, one in TOLD.items():
        result = await told(person, one)
        path = person.page.path
        shows: dict[str, Any] = {"shows": one.shows.split()} if one.shows else {}
        file = ("files", ("a.png", picture("PNG"), "image/png"))
        page = await person.send("/files", {"kind": one.kind.value, **shows}, files=[file])
        assert "已保存" in page.words, (name, page.words)
        [file_id] = set(re.findall(rf"{path}/files/(\d+)\"", page.text))
        page = await person.send(f"/files/{file_id}", {"include": "yes"})
        if one.best:
            strength, _, minor = one.best
            sum_said = f"{minor / 100:.2f}"
            assert sum_said in result.replace(",", ""), (name, result)
            page = await person.get(f"{path}/at/claim")
            found = re.search(
                rf"{re.escape(sum_said)}.*?(补上证据就站得住|站得住|还差事实)", page.words.replace(",", "")
            )
            assert found, (name, page.words)
            assert found[1] == {"strong": "站得住", "fair": "补上证据就站得住"}[strength], name
        await person.get(path)
        fields = person.page.form("/pack.zip").fields
        answer = await person.client.post(f"{path}/pack.zip", data={"csrf_token": fields["csrf_token"]})
        target.write_bytes(answer.content)
        assert check(target).exit_code == 0, name
        with ZipFile(io.BytesIO(answer.content)) as pack:
            assert any(entry.endswith(".png") for entry in pack.namelist())
