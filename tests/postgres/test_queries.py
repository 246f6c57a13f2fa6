import sys
from pathlib import Path

import pytest

from kabao.postgres import QueriesMalformedError, load_queries
from kabao.postgres.queries import parse_queries

GOOD = """-- The queries of a shop.

-- name: find_shop
-- Finds a shop by its number; primary key.
SELECT *
  FROM shop -- a comment within stays
 WHERE shop_id = $1;

-- name:close_shop
-- Closes it,
-- for good.
UPDATE shop SET closed_at = $2 WHERE shop_id = $1
"""


def test_queries_are_read_by_name_and_by_attribute() -> None:
    queries = parse_queries(GOOD, source="here")
    assert list(queries) == ["find_shop", "close_shop"]
    assert len(queries) == 2
    assert queries["find_shop"] == "SELECT *\n  FROM shop -- a comment within stays\n WHERE shop_id = $1"
    assert queries.close_shop == "UPDATE shop SET closed_at = $2 WHERE shop_id = $1"


def test_a_query_that_is_not_there_is_named() -> None:
    queries = parse_queries(GOOD, source="shops/queries.sql")
    with pytest.raises(AttributeError, match=r"shops/queries\.sql has no query named open_shop"):
        _ = queries.open_shop
    with pytest.raises(KeyError):
        _ = queries["open_shop"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "f: holds no named query"),
        ("-- only a comment\n", "f: holds no named query"),
        ("SELECT 1;\n", "f:1: SQL before the first name"),
        ("-- name: a\n-- A.\nSELECT 1\n-- name: a\n-- A.\nSELECT 2\n", "f:4: a is defined twice"),
        ("-- name: a\nSELECT 1\n", "f:1: a has no sentence"),
        ("-- name: a\n--\nSELECT 1\n", "f:1: a has no sentence"),
        ("-- name: a\n-- A.\n;\n-- name: b\n-- B.\nSELECT 1\n", "f:1: a has no SQL"),
        ("-- name: a\n-- A.\n", "f:1: a has no SQL"),
        ("-- name: Bad Name\n-- A.\nSELECT 1\n", "f:1: 'Bad Name' is not a name"),
        ("-- name:\n-- A.\nSELECT 1\n", "f:1: '' is not a name"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(QueriesMalformedError, match=complaint):
        parse_queries(text, source="f")


def test_a_package_is_read_by_its_name(tmp_path: Path) -> None:
    package = tmp_path / "a_shop_for_tests"
    package.mkdir()
    (package / "__init__.py").write_text("", "utf-8")
    (package / "queries.sql").write_text(GOOD, "utf-8")
    sys.path.insert(0, str(tmp_path))
    try:
        assert load_queries("a_shop_for_tests").find_shop.startswith("SELECT")
        with pytest.raises(FileNotFoundError):
            load_queries("a_shop_for_tests", "missing.sql")
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("a_shop_for_tests", None)
