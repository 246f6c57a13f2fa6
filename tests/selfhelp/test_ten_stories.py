"""Ten published cases as their buyers would tell them: asked, judged by law, packed, verified; no names in them."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from helpstories import NOW
from helptold import BASICS, TOLD
from kabao.packs import check
from kabao.selfhelp import Language, folder
from kabao.selfhelp.commands import Said, new_command, next_command, pack_command


def came(said: Said) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said.text)
    return found


@pytest.mark.parametrize("name", TOLD)
def test_a_published_case_goes_from_an_empty_folder_to_a_pack_that_verifies(name: str, tmp_path: Path) -> None:
    one, place, target = TOLD[name], tmp_path / "case", tmp_path / "case.zip"
    new_command(place, None, NOW, Language.ZH, as_json=True)
    (place / "evidence" / "a.mp4").write_bytes(name.encode())
    if one.terms:
        (place / "terms" / "rules.txt").write_text(one.terms)
    given = dict(part.split("=") for part in f"{BASICS} {one.basics}".split())
    found = came(next_command(place, tuple(f"{field}={value}" for field, value in given.items()), NOW, as_json=True))
    asked, known = [], dict(part.split("=") for part in one.answers.split())
    while found["questions"]:
        field = found["questions"][0]["field"]
        assert field not in asked
        asked.append(field)
        value = known.get(field.removeprefix("answers."), "unknown")
        found = came(next_command(place, (f"{field}={value}",), NOW, as_json=True))
    story = folder.load(place)
    item = msgspec.structs.replace(story.evidence[0], kind=one.kind, shows=tuple(one.shows.split()), include=True)
    folder.save(place, msgspec.structs.replace(story, evidence=(item,)))
    found = came(next_command(place, (), NOW, as_json=True))
    best = [(ask["strength"], ask["what"], ask["amount_minor"]) for ask in found["asks"]]
    assert (asked[0], found["path"], best[:1]) == (one.asked, one.path, [one.best] if one.best else best[:1])
    assert len(asked) <= 14
    if one.path == "fraud":
        assert asked[:2] == ["signs.police_called", "signs.payment_stopped"]
        assert found["letters"] == ["payment", "platform"]
        assert {ask[0] for ask in best} == {"weak"}
    packed = came(pack_command(place, target, NOW, as_json=True))
    assert (packed["originals"], packed["fingerprints"]) == ([1], [])
    assert check(target).exit_code == 0
