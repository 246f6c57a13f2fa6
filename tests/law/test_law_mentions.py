"""Law named in running text is found as people write it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kabao.law import load_catalogue

CATALOGUE = load_catalogue()


def ids(text: str) -> list[str | None]:
    return [found.citation.id if found.citation else None for found in CATALOGUE.find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("消法 25(1)(3)", ["xiaofa-25-1-3"]),
        ("消法25（1）（3）", ["xiaofa-25-1-3"]),
        ("电子商务法第四十九条第二款", ["dianshang-49-2"]),
        ("法释〔2022〕8号 第2条", ["wangluo-xiaofei-2"]),
        ("法释[2022]8号第一条第（五）项", ["wangluo-xiaofei-1-item-5"]),
        ("《中华人民共和国消费者权益保护法》第二十五条第一款第（三）项、第二款", ["xiaofa-25-1-3", "xiaofa-25-2"]),
        ("《民法典》（2020年）第五百六十三条第一款第三项和第四项", ["minfadian-563-1-3", "minfadian-563-1-4"]),
        ("消法的第 24 条", ["xiaofa-24"]),
        (
            "民法典 497(2)(3), 506、582",
            ["minfadian-497-item-2", "minfadian-497-item-3", "minfadian-506", "minfadian-582"],
        ),
        ("消法 26(2)(3) + 24 + 52", ["xiaofa-26-2", "xiaofa-26-3", "xiaofa-24", "xiaofa-52"]),
        ("民法典 563(1)(3)(4)", ["minfadian-563-1-3", "minfadian-563-1-4"]),
        ("令116 30–32", ["pingtai-guize-30", "pingtai-guize-31", "pingtai-guize-32"]),
        ("平台规则办法第三十条至第三十一条", ["pingtai-guize-30", "pingtai-guize-31"]),
        ("刑法第二百八十七条之二第一款", ["xingfa-287-2-1"]),
        ("刑法 287-2", ["xingfa-287-2"]),
        ("民诉法解释第二十条与民诉法第二十四条", ["minsu-jieshi-20", "minsu-24"]),
        ("消法实施条例第十九条", ["xiaofa-tiaoli-19"]),
        ("xiaofa 25(2), dianshang 62", ["xiaofa-25-2", "dianshang-62"]),
        ("消法 Article 55(1)", ["xiaofa-55-1"]),
        ("消法 ２５", ["xiaofa-25"]),
        ("消法 24-2024年", ["xiaofa-24"]),
        ("消法 25 至 0", ["xiaofa-25"]),
    ],
)
def test_the_forms_in_which_people_cite(text: str, expected: list[str]) -> None:
    assert ids(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "消法",
        "依照民法典处理",
        "消法2024年修正",
        "消法 25 元",
        "消法 3 天",
        "消法 25.5",
        "消法第条",
        "消法第十百条",
        "myxiaofa 25",
        "xiaofa-25",
        "第二十五条",
        "消法第二十五款",
        "消法 0",
        "消法 10至5条之间",
    ],
)
def test_what_names_no_article_is_no_mention(text: str) -> None:
    assert ids(text) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [("消法 99", 1), ("消法第二十五条第九款", 1), ("消法第二十五条第一款第八项", 1), ("消法 1-9999", 0)],
)
def test_a_place_that_the_catalogue_lacks_is_still_reported(text: str, count: int) -> None:
    assert ids(text) == [None] * count


def test_a_mention_says_where_it_stands() -> None:
    text = "买家依据《消费者权益保护法》第二十四条、第五十二条要求退款。"
    first, second = CATALOGUE.find(text)
    assert first.mention.written == "消费者权益保护法》第二十四条"
    assert text[second.mention.start : second.mention.end] == second.mention.written == "第五十二条"


def test_a_provision_not_in_force_on_the_day_is_reported_without_a_citation() -> None:
    assert CATALOGUE.find("令121第十五条", date(2026, 4, 14))[0].citation is None
    assert CATALOGUE.find("令121第十五条", date(2026, 4, 15))[0].citation is not None


PIECES = [
    "消法",
    "民法典",
    "《",
    "》",
    "第",
    "二十五",
    "条",
    "款",
    "项",
    "(1)",
    "（三）",
    "之二",
    "、",
    "-",
    "至",
    " ",
    "7",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=60))
def test_any_text_is_read_without_an_error_and_mentions_lie_inside_it(text: str) -> None:
    for mention, _ in CATALOGUE.find(text):
        assert 0 <= mention.start < mention.end <= len(text)
        assert text[mention.start : mention.end] == mention.written
        assert mention.place.article is not None
