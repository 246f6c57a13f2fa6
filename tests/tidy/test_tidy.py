"""The rules of the house that no other tool holds: sizes, floats near money, where SQL may run, what leaks.

Every rule is a function from a file's text to its breaches, tried on a bad example first.
An exception stands in a table below with its reason; one that is no longer needed fails too.
"""

import ast
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ROOT / "src" / "kabao"
TESTS = ROOT / "tests"

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 70

Rule = Callable[[str, str], Iterator[str]]

# Paths below src/kabao (a folder ends with a slash) that may run SQL though they are no store.py, and why.
SQL_RUNS_IN = {
    "postgres/": "the pool, roles and migrations are SQL",
}


# Files that may be longer than the limit, and why.
LONG_FILES = {
    "src/kabao/packs/verify.py": "it lies in every pack as one file, and whoever doubts a pack reads it as a whole",
}


def python_nodes(text: str) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(text))


def is_third_party(path: str) -> bool:
    return "/vendor/" in path or Path(path).name.startswith(("htmx", "idiomorph"))


def long_files(path: str, text: str) -> Iterator[str]:
    if "/migrations/versions/" in path:  # written once, never edited again, read as a whole
        return
    if path in LONG_FILES:
        return
    lines = text.count("\n")
    if lines > MAX_FILE_LINES:
        yield f"{path}: {lines} lines, the limit is {MAX_FILE_LINES}"


def long_functions(path: str, text: str) -> Iterator[str]:
    for node in python_nodes(text):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name}: {lines} lines, the limit is {MAX_FUNCTION_LINES}"


def unfinished(path: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.search(r"\b(TODO|FIXME|NotImplementedError)\b", line):
            yield f"{path}:{number}: {found[0]}"


MONEY = re.compile(
    r"(^|_)(minor|amount|price|fee|fees|balance|refund|deposit|payout|money|cents|fen|yuan)(_minor|$)",
)


def float_money(path: str, text: str) -> Iterator[str]:
    def is_float(annotation: ast.expr | None) -> bool:
        return annotation is not None and re.search(r"\bfloat\b", ast.unparse(annotation)) is not None

    def is_money(node: ast.expr) -> bool:
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        return MONEY.search(name) is not None

    for node in python_nodes(text):
        match node:
            case ast.AnnAssign(target=target, annotation=annotation) if is_money(target) and is_float(annotation):
                yield f"{path}:{node.lineno}: {ast.unparse(target)} is a float"
            case ast.arg(arg=name, annotation=annotation) if MONEY.search(name) and is_float(annotation):
                yield f"{path}:{node.lineno}: {name} is a float"
            case ast.FunctionDef(name=name, returns=returns) if MONEY.search(name) and is_float(returns):
                yield f"{path}:{node.lineno}: {name} returns a float"
            case ast.BinOp(left=left, op=ast.Div(), right=right) if is_money(left) or is_money(right):
                yield f"{path}:{node.lineno}: {ast.unparse(node)} divides money; use allocate"
            case ast.Call(func=ast.Name(id="float"), args=[argument]) if is_money(argument):
                yield f"{path}:{node.lineno}: {ast.unparse(node)}"


SQL_WORDS = re.compile(
    r"^\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s|CALL\s|COPY\s)",
)
SQL_CALLS = frozenset({"execute", "executemany", "fetch", "fetchrow", "fetchval", "copy_records_to_table"})


def composed_sql(path: str, text: str) -> Iterator[str]:
    def is_sql(node: ast.expr) -> bool:
        return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(SQL_WORDS.match(node.value))

    for node in python_nodes(text):
        match node:
            case ast.JoinedStr(values=[first, *_]) if is_sql(first):
                yield f"{path}:{node.lineno}: SQL in an f-string"
            case ast.BinOp(left=left, op=ast.Add() | ast.Mod()) if is_sql(left):
                yield f"{path}:{node.lineno}: SQL put together from parts"
            case ast.Call(func=ast.Attribute(value=value, attr="format")) if is_sql(value):
                yield f"{path}:{node.lineno}: SQL put together by format"


def sql_outside_stores(path: str, text: str) -> Iterator[str]:
    if Path(path).name == "store.py":
        return
    for node in python_nodes(text):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SQL_CALLS:
            yield f"{path}:{node.lineno}: .{node.func.attr}() belongs in store.py"


def prints(path: str, text: str) -> Iterator[str]:
    if "/cli/" in path or Path(path).name == "cli.py":
        return
    for node in python_nodes(text):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"{path}:{node.lineno}: print belongs to the command line"


def unsafe_markup(path: str, text: str) -> Iterator[str]:
    without_jinja = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", text, flags=re.DOTALL)
    for pattern, reason in (
        (r"<[^>]*\sstyle\s*=", "style attribute"),
        (r"<style\b", "inline stylesheet"),
        (r"<script\b(?![^>]*\ssrc\s*=)", "inline script"),
        (r"<[^>]*\s(?:on[a-z]+|hx-on[\w:-]*)\s*=", "inline handler"),
        (r"\bjavascript:", "javascript: address"),
    ):
        for found in re.finditer(pattern, without_jinja, flags=re.IGNORECASE):
            yield f"{path}: {reason}: {' '.join(found[0].split())[-80:]}"


def evaluated_scripts(path: str, text: str) -> Iterator[str]:
    for found in re.finditer(r"(?<![\w.])eval\s*\(|\bnew\s+Function\b|\bset(?:Timeout|Interval)\s*\(\s*['\"`]", text):
        yield f"{path}: {found[0]}"


def mocks(path: str, text: str) -> Iterator[str]:
    for node in python_nodes(text):
        match node:
            case (
                ast.ImportFrom(module="unittest.mock" | "mock")
                | ast.Import(
                    names=[ast.alias(name="unittest.mock" | "mock"), *_],
                )
            ):
                yield f"{path}:{node.lineno}: imports mock"
            case ast.ImportFrom(module="unittest", names=[ast.alias(name="mock"), *_]):
                yield f"{path}:{node.lineno}: imports mock"
            case ast.Attribute(value=ast.Name(id="monkeypatch"), attr="setattr" | "setitem" | "delattr"):
                yield f"{path}:{node.lineno}: monkeypatch.{node.attr}; pass a parameter instead"
            case ast.arg(arg="mocker"):
                yield f"{path}:{node.lineno}: mocker"


# Written in halves, so that this file keeps its own rule.
REGISTRY_HOSTS = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "registry.npmjs" + ".org",
    "proxy.golang" + ".org",
    "static.crates" + ".io",
]
LEAKS = re.compile(
    r"(?<![\w.~-])/(?:work|root|opt/wheels|opt/pypi)(?:/\w|\b(?![\w/-]))"
    r"|(?<![\w.~-])/home/(?!kabao\b)[a-z]\w*"
    r"|^\s*--(?:extra-)?index-url\b|^\s*--find-links\b|^\s*--trusted-host\b|"
    + "|".join(re.escape(host) for host in REGISTRY_HOSTS),
    flags=re.MULTILINE,
)


def leaks(path: str, text: str) -> Iterator[str]:
    for found in LEAKS.finditer(text):
        yield f"{path}:{text.count(chr(10), 0, found.start()) + 1}: {found[0].strip()}"


def read(folder: Path, *suffixes: str) -> list[tuple[str, str]]:
    return [
        (path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*"))
        if path.suffix in suffixes and not is_third_party(path.relative_to(ROOT).as_posix())
    ]


PRODUCT_RULES: list[tuple[Rule, tuple[str, ...]]] = [
    # The stylesheet is one file on purpose: one request, one place for tokens.
    (long_files, (".py", ".sql", ".html", ".js")),
    (long_functions, (".py",)),
    (unfinished, (".py", ".sql", ".html", ".js", ".css")),
    (float_money, (".py",)),
    (prints, (".py",)),
    (unsafe_markup, (".html", ".jinja", ".j2")),
    (evaluated_scripts, (".js",)),
]


@pytest.mark.parametrize(("rule", "suffixes"), PRODUCT_RULES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_product_keeps_the_rule(rule: Rule, suffixes: tuple[str, ...]) -> None:
    assert [breach for path, text in read(PRODUCT, *suffixes) for breach in rule(path, text)] == []


@pytest.mark.parametrize("rule", [composed_sql, sql_outside_stores], ids=lambda rule: str(rule.__name__))
def test_sql_runs_only_where_it_lives(rule: Rule) -> None:
    breaches = [
        breach
        for path, text in read(PRODUCT, ".py")
        if not path.removeprefix("src/kabao/").startswith(tuple(SQL_RUNS_IN))
        for breach in rule(path, text)
    ]
    assert breaches == []


def test_every_sql_exception_is_still_needed() -> None:
    def is_needed(place: str) -> bool:
        return any(
            breach
            for path, text in read(PRODUCT, ".py")
            if path.startswith(f"src/kabao/{place}")
            for rule in (composed_sql, sql_outside_stores)
            for breach in rule(path, text)
        )

    files = [place for place in SQL_RUNS_IN if place.endswith(".py")]
    assert [place for place in files if not is_needed(place)] == []


def test_every_long_file_is_still_long() -> None:
    def lines(path: str) -> int:
        return (ROOT / path).read_text(encoding="utf-8").count("\n")

    assert [path for path in LONG_FILES if lines(path) <= MAX_FILE_LINES] == []


def test_tests_use_no_mocks() -> None:
    assert [breach for path, text in read(TESTS, ".py") for breach in mocks(path, text)] == []


def test_test_files_stay_readable() -> None:
    assert [breach for path, text in read(TESTS, ".py") for breach in long_files(path, text)] == []


def test_no_tracked_file_names_a_machine_or_a_registry() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    # The folder may belong to someone else, which git refuses unless told.
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files", "-z"],
        capture_output=True,
        text=True,
        check=True,
    )
    breaches: list[str] = []
    for name in listed.stdout.split("\0"):
        path = ROOT / name
        if name and path.is_file() and path != Path(__file__):
            content = path.read_bytes()
            if b"\0" not in content and not is_third_party(name):
                breaches += leaks(name, content.decode(errors="replace"))
    assert breaches == []


EXAMPLES: list[tuple[Rule, str]] = [
    (long_files, "x = 1\n" * 501),
    (long_functions, "async def f():\n" + "    x = 1\n" * 70),
    (unfinished, "# TO" + "DO later"),
    (unfinished, "raise NotImplemented" + "Error"),
    (float_money, "amount_minor: float = 0"),
    (float_money, "def f(price: float | None): ..."),
    (float_money, "def fee_minor() -> float: ..."),
    (float_money, "half = order.total_minor / 2"),
    (float_money, "x = float(balance)"),
    (composed_sql, "q = f'SELECT * FROM {table}'"),
    (composed_sql, "q = 'DELETE FROM ' + table"),
    (composed_sql, "q = 'UPDATE %s SET x = 1' % table"),
    (composed_sql, "q = 'INSERT INTO {} VALUES (1)'.format(table)"),
    (sql_outside_stores, "await connection.fetchrow(query, 1)"),
    (prints, "print(1)"),
    (unsafe_markup, "<p style='color: red'>"),
    (unsafe_markup, "<style>p {}</style>"),
    (unsafe_markup, "<script>run()</script>"),
    (unsafe_markup, "<a href='/x' onclick='go()'>"),
    (unsafe_markup, "<button {% if x %} hx-on:click='go()' {% endif %}>"),
    (unsafe_markup, "<a href='javascript:go()'>"),
    (evaluated_scripts, "const x = eval(text)"),
    (evaluated_scripts, "const f = new Function(text)"),
    (mocks, "from unittest.mock import patch"),
    (mocks, "from unittest import mock"),
    (mocks, "import mock"),
    (mocks, "monkeypatch.setattr(clock, 'now', later)"),
    (mocks, "def test_x(mocker): ..."),
    (leaks, "see /ro" + "ot/notes"),
    (leaks, "COPY x FROM '/wo" + "rk/main'"),
    (leaks, "/ho" + "me/someone/kabao"),
    (leaks, "--index" + "-url x"),
    (leaks, "https://" + REGISTRY_HOSTS[0]),
]


@pytest.mark.parametrize(("rule", "text"), EXAMPLES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_rule_notices_its_breach(rule: Rule, text: str) -> None:
    assert list(rule("src/kabao/example.py", text))


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (float_money, "x.py", "elapsed: float = 0\nratio = a / b\nhalf = total_minor // 2"),
        (composed_sql, "x.py", "q = f'{count} SELECTED'"),
        (sql_outside_stores, "src/kabao/orders/store.py", "await connection.fetchrow(query, 1)"),
        (prints, "src/kabao/cli/main.py", "print(1)"),
        (
            unsafe_markup,
            "x.html",
            "{% set only = 1 %}<script src='/a.js' defer></script><p>on time = now</p>",
        ),
        (evaluated_scripts, "x.js", "retrieval(1); window.setTimeout(() => go(), 1)"),
        (mocks, "x.py", "monkeypatch.setenv('TZ', 'UTC')"),
        (leaks, "x", "/network/work and GET /home/kabao and ~/work"),
    ],
)
def test_a_rule_lets_good_work_pass(rule: Rule, path: str, text: str) -> None:
    assert list(rule(path, text)) == []
