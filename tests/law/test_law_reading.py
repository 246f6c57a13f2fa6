"""A mistake in the catalogue's files is named with file and line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kabao.law import CatalogueError
from kabao.law.reading import FOLDER, files, read_folder, read_instrument

SOURCES = {"LRB": "a library"}
GOOD = """\
instrument:
  id: lifa
  name_zh: 例法
  name_en: Example Law
  short_zh: 例
  issuer_zh: 某机关
  issuer_en: An Authority
  in_force_from: 2020-01-01
  mark: V
  sources: [LRB]
  verified_on: 2026-11-23
  paragraphs_known: true
  shapes:
    25: [4, 0, 0]
    5: [10]
citations:
  - id: lifa-25-1-3
    article: 25
    paragraph: 1
    item: 3
    summary_zh: 例子。
    summary_en: An example.
    note: null
"""


def read(text: str, file: str = "lifa.yaml") -> None:
    read_instrument(text, file, SOURCES, {})


def test_a_good_file_is_read() -> None:
    content = read_instrument(GOOD, "lifa.yaml", SOURCES, {})
    assert content.instrument.shapes == {"25": (4, 0, 0), "5": (10,)}
    assert content.citations[0].article == 25


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("article: 25", "article: 26", 18, "no shape for Article 26"),
        ("article: 25", "article: '25a'", 18, "is no article number"),
        ("article: 25", "article: [25]", 18, "Expected `int | str | null`"),
        ("    article: 25\n", "", 17, "without its article"),
        ("    25: [4, 0, 0]", "    25: [4, many]", 14, "Expected `int`, got `str`"),
        ("item: 3", "item: 5", 17, "its shape is [4, 0, 0]"),
        ("    paragraph: 1\n", "", 17, "with the paragraph that lists it"),
        ("paragraph: 1", "paragraph: one", 19, "Expected `int | null`, got `str`"),
        ("id: lifa-25-1-3", "id: xiaofa-25", 17, "begins with lifa-"),
        ("id: lifa-25-1-3", "id: lifa-25_1", 17, "not made of a-z"),
        ("    summary_en: An example.\n", "", 17, "missing required field `summary_en`"),
        ("note: null", "colour: red", 17, "unknown field `colour`"),
        ("note: null", "sources: [XYZ]", 23, "'XYZ' is not explained in sources.yaml"),
        ("note: null", "sources: []", 23, "names no source"),
        ("note: null", "in_force_to: 2019-12-31", 23, "ends before it begins"),
        ("note: null", "item: 4", 23, "'item' stands twice"),
        ("note: null", "note: 1.5", 23, "read as float; put text into quotes"),
        ("note: null", "note: 0o17", 23, "read as int"),
        ("note: null", "note: !!python/name:os.system x", 23, "read as"),
        ("note: null", "? [a]\n    : b", 23, "a key is text"),
        ("note: null", "note: &a text", 23, "anchors"),
        ("note: null", "note: *a", 23, "not YAML"),
        ("note: null", "note: [", 24, "not YAML"),
        ("note: null", "\tnote: x", 23, "not YAML"),
        ("note: null", "note: [[[[[[[[[[1]]]]]]]]]]", 23, "nested too deeply"),
        ("2020-01-01", "2020-13-01", 8, "Invalid RFC3339"),
        ("mark: V", "mark: W", 9, "Invalid enum value 'W'"),
        ("  verified_on: 2026-11-23\n", "", 2, "verified_on is missing"),
        ("paragraphs_known: true", "paragraphs_known: maybe", 12, "Expected `bool`"),
        ("id: lifa\n", "id: lifa2\n", 2, "the file of 'lifa2' is lifa2.yaml"),
        ("instrument:\n", "- instrument:\n", 16, "not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, line: int, message: str) -> None:
    assert old in GOOD
    with pytest.raises(CatalogueError) as raised:
        read(GOOD.replace(old, new, 1))
    assert message in str(raised.value)
    assert (raised.value.file, raised.value.line) == ("lifa.yaml", line)
    assert str(raised.value).startswith(f"lifa.yaml:{line}: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("x" * 1_000_001, "larger than"),
        ("a: 1\n---\nb: 2", "not YAML"),
        ("\x00", "not YAML"),
        ("[1, 2]", "Expected `object`"),
    ],
)
def test_what_is_no_catalogue_file_at_all_is_refused(text: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        read(text)


def test_yes_is_text_and_no_truth_value() -> None:
    assert read_instrument(GOOD.replace("null", "no"), "lifa.yaml", SOURCES, {}).citations[0].note == "no"


def test_a_topic_needs_both_languages() -> None:
    text = GOOD.replace("    article: 25\n    paragraph: 1\n    item: 3\n", "    topic_zh: 关于申诉的规定\n")
    with pytest.raises(CatalogueError, match="needs topic_zh and topic_en"):
        read(text)
    read(text.replace("topic_zh", "topic_en: appeals\n    topic_zh"))


def test_an_id_is_taken_once_in_the_whole_catalogue() -> None:
    with pytest.raises(CatalogueError, match=r"^lifa\.yaml:17: 'lifa-25-1-3' stands in other\.yaml already"):
        read_instrument(GOOD, "lifa.yaml", SOURCES, {"lifa-25-1-3": "other.yaml"})


def test_a_place_needs_its_article_even_with_a_topic() -> None:
    text = GOOD.replace("    article: 25\n", "    topic_zh: 关于申诉的规定\n    topic_en: appeals\n")
    with pytest.raises(CatalogueError, match=r"^lifa\.yaml:17: a paragraph or item without its article"):
        read(text)


def test_text_that_was_not_read_needs_no_shape() -> None:
    read(GOOD.replace("note: null", "mark: S").replace("article: 25", "article: 99"))


def folder_with(tmp_path: Path, name: str, content: bytes) -> Path:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / "sources.yaml").write_text("LRB: a library\n", encoding="utf-8")
    (tmp_path / FOLDER / name).write_bytes(content)
    return tmp_path


def test_a_folder_of_ones_own_is_read(tmp_path: Path) -> None:
    content = read_folder(folder_with(tmp_path, "lifa.yaml", GOOD.encode()))
    assert [each.instrument.id for each in content.instruments] == ["lifa"]
    (tmp_path / FOLDER / "notes.txt").write_text("not read", encoding="utf-8")
    assert read_folder(tmp_path) == content


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"^lifa\.yaml:1: not UTF-8"):
        read_folder(folder_with(tmp_path, "lifa.yaml", b"\xff\xfe"))


def test_a_folder_without_sources_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"^sources\.yaml:1: cannot be read: No such file"):
        read_folder(tmp_path)


CHUFA = (files("kabao.law") / FOLDER / "chufa.yaml").read_text(encoding="utf-8")
REAL_SOURCES = {"LRB": "a library"}


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(CHUFA) - 1), st.sampled_from(["", " ", "\n", ":", "x", "9", "[", "'", "\t", "&a ", "*", "-"]))
def test_any_one_character_changed_is_read_or_named(position: int, character: str) -> None:
    text = CHUFA[:position] + character + CHUFA[position + 1 :]
    try:
        read_instrument(text, "chufa.yaml", REAL_SOURCES, {})
    except CatalogueError as error:
        named = error
    else:
        return
    assert named.file == "chufa.yaml"
    assert 1 <= named.line <= text.count("\n") + 1
