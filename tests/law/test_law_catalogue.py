"""The catalogue that ships: whole, consistent, and as quick to load as it must be for every command."""

import re
import subprocess
import sys
from datetime import date

import pytest

from kabao.law import (
    CITABLE_MARKS,
    Catalogue,
    CatalogueError,
    Citation,
    Mark,
    Place,
    citable,
    in_english,
    load_catalogue,
    pack,
    unpack,
)
from kabao.law.catalogue import PACKED
from kabao.law.model import canonical, exists
from kabao.law.reading import FOLDER, files, read_folder

ORDER_DAY = date(2026, 11, 1)
CATALOGUE = load_catalogue()
CITATIONS = list(CATALOGUE)


def test_the_packed_file_is_what_the_yaml_files_say() -> None:
    """Run tools/law_catalogue.py when this fails."""
    assert (files("kabao.law") / PACKED).read_bytes() == pack(read_folder())


def test_loading_needs_no_yaml_parser() -> None:
    """Parsing the YAML takes a hundred times as long, and every command would wait for it."""
    code = "import sys, kabao.law; kabao.law.load_catalogue(); sys.exit('ruamel.yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_is_loaded_once() -> None:
    assert load_catalogue() is CATALOGUE


def test_every_instrument_has_its_file_and_names_that_are_its_own() -> None:
    names = [name for each in CATALOGUE.instruments.values() for name in {each.id, *each.names()}]
    assert sorted(names) == sorted(set(names))
    assert sorted(f"{each}.yaml" for each in CATALOGUE.instruments) == sorted(
        path.name for path in (files("kabao.law") / FOLDER).iterdir()
    )
    assert len(CATALOGUE) == len(CITATIONS) > 500


def test_what_may_be_cited_exists_in_its_instrument_down_to_the_item() -> None:
    def is_there(citation: Citation) -> bool:
        article = citation.place.article
        if article is None:
            return bool(citation.topic_zh and citation.topic_en)
        shape = citation.instrument.shapes[article]
        return canonical(shape, citation.place) == citation.place and exists(shape, citation.place)

    resting = [each for each in CITATIONS if each.mark in CITABLE_MARKS]
    assert [each.id for each in resting if not is_there(each)] == []
    assert [each.id for each in resting if each.verified_on is None] == []
    assert [each.id for each in CITATIONS if not set(each.sources) <= set(CATALOGUE.sources)] == []


def test_a_summary_is_one_short_sentence_in_each_language() -> None:
    assert [each.id for each in CITATIONS if not re.fullmatch(r"[^。\n]{2,60}。", each.summary_zh)] == []
    assert [each.id for each in CITATIONS if not re.fullmatch(r"[A-Z0-9][^\n一-鿿]{4,160}\.", each.summary_en)] == []


def test_a_citation_is_found_by_id_by_place_and_by_its_own_words() -> None:
    for citation in CITATIONS:
        assert CATALOGUE.get(citation.id) == citation
        article, paragraph, item = citation.place
        if article is not None:
            instrument = citation.instrument
            for name in (instrument.id, instrument.short_zh, f"《{instrument.name_zh}》"):
                assert CATALOGUE.versions(name, article, paragraph, item) == (citation,)
            assert [found.citation for found in CATALOGUE.find(citation.text_zh())] == [citation]


def test_the_wording_in_force_on_the_day_is_the_one_that_counts() -> None:
    filing = CATALOGUE.resolve("令121", 15, on=date(2026, 4, 15))
    assert filing is not None
    assert filing.id == "tousu-jubao-15"
    assert CATALOGUE.resolve("令121", 15, on=date(2026, 4, 14)) is None
    assert len(CATALOGUE.versions("令121", 15)) == 1
    assert CATALOGUE.resolve("wangluo-jiaoyi", 18, on=date(2025, 3, 17)) is None
    assert CATALOGUE.resolve("wangluo-jiaoyi", 18, on=date(2025, 3, 18)) is not None


def test_two_wordings_of_one_place_are_told_apart_by_the_day() -> None:
    content = unpack(pack(read_folder()))
    file = next(each for each in content.instruments if each.instrument.id == "fanbuzheng")
    packed = pack(content).decode()
    old = packed.replace(
        '"id": "fanbuzheng-9",', '"id": "fanbuzheng-9-old", "in_force_from": "2019-04-23", "in_force_to": "2025-10-14",'
    )
    assert old != packed
    entry = next(
        each for file in unpack(old.encode()).instruments for each in file.citations if each.id == "fanbuzheng-9-old"
    )
    both = Catalogue(
        type(content)(content.sources, (type(file)(file.instrument, (*file.citations, entry)),)),
    )
    assert [each.id for each in both.versions("fanbuzheng", 9)] == ["fanbuzheng-9-old", "fanbuzheng-9"]
    for on, expected in ((date(2024, 1, 1), "fanbuzheng-9-old"), (ORDER_DAY, "fanbuzheng-9")):
        found = both.resolve("fanbuzheng", "9", on=on)
        assert found is not None
        assert found.id == expected
        assert [each.citation for each in both.find("反不正当竞争法 9", on)] == [found]
    newest = both.find("反不正当竞争法第九条")[0].citation
    assert newest is not None
    assert newest.id == "fanbuzheng-9"


def test_what_is_unknown_is_none_and_not_an_error() -> None:
    assert CATALOGUE.instrument("某法") is None
    assert CATALOGUE.get("xiaofa-999") is None
    assert CATALOGUE.versions("某法", 1) == ()
    assert CATALOGUE.resolve("xiaofa", 25, 9, on=ORDER_DAY) is None


@pytest.mark.parametrize(
    ("instrument", "article", "paragraph", "item", "expected"),
    [
        ("chufa", 5, None, 10, "chufa-5-item-10"),
        ("chufa", 5, 1, 10, "chufa-5-item-10"),
        ("xiaofa", 25, 1, 3, "xiaofa-25-1-3"),
        ("xiaofa", 25, None, 3, "xiaofa-25-1-3"),
        ("xingfa", "287-2", 1, None, "xingfa-287-2-1"),
        ("法释〔2022〕8号", 2, None, None, "wangluo-xiaofei-2"),
        ("法释[2022]8号", "2", None, None, "wangluo-xiaofei-2"),
    ],
)
def test_a_place_may_be_named_in_more_ways_than_one(
    instrument: str, article: int | str, paragraph: int | None, item: int | None, expected: str
) -> None:
    found = CATALOGUE.resolve(instrument, article, paragraph, item, on=ORDER_DAY)
    assert found is not None
    assert found.id == expected


@pytest.mark.parametrize(
    ("citation_id", "mark"),
    [
        ("pingtai-guize-27", Mark.SECONDARY),
        ("pingtai-guize-burden", Mark.SECONDARY),
        ("hetong-xingzheng-18", Mark.SECONDARY),
        ("chufa-15", Mark.SECONDARY),
        ("xuni-huobi", Mark.SECONDARY),
        ("hulian-fayuan", Mark.SECONDARY),
        ("danyongtu", Mark.SECONDARY),
        ("shuiwu-baosong-4", Mark.SECONDARY),
        ("xingfa-266", Mark.GENERAL),
        ("guanggao-28", Mark.GENERAL),
        ("tousu-zanxing", Mark.GENERAL),
        ("hetong-weifa", Mark.GENERAL),
    ],
)
def test_what_is_only_said_by_others_is_known_but_never_citable(citation_id: str, mark: Mark) -> None:
    citation = CATALOGUE.get(citation_id)
    assert citation is not None
    assert citation.mark is mark
    assert not citable(citation, citation.in_force_from)


def test_the_sentence_on_appeals_is_cited_without_a_number() -> None:
    """Its article number could not be checked, and a wrong one is worse than none."""
    appeal = CATALOGUE.get("pingtai-guize-appeal")
    assert appeal is not None
    assert appeal.place == Place(None)
    assert citable(appeal, ORDER_DAY)
    inner = "《最高人民法院关于适用〈中华人民共和国民法典〉合同编通则若干问题的解释》"
    assert next(one for one in CITATIONS if one.id == "hetong-tongze-9").text_zh().startswith(inner)
    assert appeal.text_zh() == "《网络交易平台规则监督管理办法》（关于申诉复核和人工判定的规定）"


def test_what_is_named_in_chinese_is_named_in_english_as_far_as_the_catalogue_knows_it() -> None:
    assert in_english("《消费者权益保护法》第二十六条第二款") == "Consumer Rights Protection Law, Article 26(2)"
    for unknown in ("《民法典》第九千条", "不是法律", ""):
        assert in_english(unknown) == unknown
    for citation in CITATIONS:
        if citation.place.article:
            assert "《" not in in_english(citation.text_zh()), citation.id


@pytest.mark.parametrize("packed", [b"", b"{}", b"[1", b'{"sources": {}, "instruments": [{"id": 1}]}', b"\xff"])
def test_a_damaged_packed_file_is_named(packed: bytes) -> None:
    with pytest.raises(CatalogueError, match=r"^catalogue\.json:1: "):
        unpack(packed)
