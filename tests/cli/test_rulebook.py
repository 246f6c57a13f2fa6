"""`kabao rulebook`: the commands in this process, their exit codes and their JSON, and publishing beside a server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kabao.adjudication.service import packaged_book, packaged_text
from kabao.cli.main import main
from program import kabao
from rulebooks import SAMPLE, SAMPLE_PATH, edited, renamed

CASE = """\
claim: key_invalid
facts:
  key_failed: proved
amounts:
  price_minor: 9650
"""
DECISION = {
    "responsible", "outcome", "refund_minor", "refund_share", "damages_minor", "payer", "articles", "defeated", "cites",
    "reasons", "missing",
}  # fmt: skip


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def case(tmp_path: Path) -> Path:
    path = tmp_path / "cases" / "one.yaml"
    path.parent.mkdir()
    path.write_text(CASE, "utf-8")
    return path


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    path = tmp_path / "shipped.yaml"
    path.write_text(packaged_text(), "utf-8")
    return path


def test_check_says_clean_found_or_unreadable_by_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("rulebook", "check", "--json") == 0
    assert all(one["kind"] == "note" for one in json.loads(capsys.readouterr().out)["findings"])
    found = tmp_path / "found.yaml"
    found.write_text(edited("effective: 2026-02-01", "effective: 2026-01-03", SAMPLE), "utf-8")
    assert run("rulebook", "check", found) == 1
    broken = tmp_path / "broken.yaml"
    broken.write_text(edited("format: 1", "format: [1", SAMPLE), "utf-8")
    assert run("rulebook", "check", broken) == 2
    assert "broken.yaml:" in capsys.readouterr().out
    assert run("rulebook", "check", tmp_path / "missing.yaml") == 2
    assert run("rulebook", "check", tmp_path) == 2


def test_decide_prints_the_object_that_was_agreed(
    case: Path, shipped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("rulebook", "decide", shipped, case, "--json") == 0
    decided = json.loads(capsys.readouterr().out)
    assert set(decided) >= DECISION
    assert set(decided["responsible"]) == {"buyer", "merchant", "platform"}
    assert run("rulebook", "decide", "-", case, "--json", "--book", "law") == 0
    assert set(json.loads(capsys.readouterr().out)) >= DECISION
    assert run("rulebook", "decide", "-", case) == 0
    case.write_text("claim: nonsense\n", "utf-8")
    assert run("rulebook", "decide", "-", case) == 2


def test_articles_and_facts_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rulebook", "explain", "-", "1") == 0
    assert "第 1 条" in capsys.readouterr().out
    assert run("rulebook", "explain", "-", "1", "--json") == 0
    assert json.loads(capsys.readouterr().out)["number"] == 1
    assert run("rulebook", "explain", SAMPLE_PATH, "nowhere") == 2
    assert run("rulebook", "facts", "--json") == 0
    capsys.readouterr()
    assert run("rulebook", "facts", SAMPLE_PATH, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {"claims", "facts", "amounts", "standards"} <= set(told)
    assert run("rulebook", "show") == 0
    assert "第 1 条" in capsys.readouterr().out


def test_versions_are_compared_and_past_cases_replayed(
    case: Path, shipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("rulebook", "diff", "-", shipped) == 0
    other = tmp_path / "other.yaml"
    other.write_text(edited("title: {zh: 违法商品不裁决", "title: {zh: 违法的商品不裁决", packaged_text()), "utf-8")
    assert run("rulebook", "diff", shipped, other, "--json") == 1
    capsys.readouterr()
    table, picture = tmp_path / "moved.csv", tmp_path / "moved.svg"
    options = ("--cases", case.parent, "--csv", table, "--picture", picture)
    assert run("rulebook", "replay", "-", other, *options, "--json") == 0
    assert json.loads(capsys.readouterr().out)["cases"] == 1
    assert table.read_text("utf-8").startswith("case,claim,merchant")
    assert picture.read_text("utf-8").startswith("<svg")
    assert run("rulebook", "replay", "-", other, "--cases", tmp_path / "nowhere") == 2
    assert "is not a folder" in capsys.readouterr().err
    assert run("rulebook", "replay", "-", other, "--cases", case.parent, "--csv", tmp_path) == 2
    assert "Is a directory" in capsys.readouterr().err


def test_the_speed_of_decisions_is_told_with_its_bars(capsys: pytest.CaptureFixture[str]) -> None:
    code = run("bench", "decide", SAMPLE_PATH, "--json")
    told = json.loads(capsys.readouterr().out)
    assert code == (0 if told["passed"] else 1)
    assert {"per_second", "ratio_to_naive", "bars"} <= set(told)
    assert run("bench", "decide", SAMPLE_PATH.with_name("missing.yaml")) == 2


def test_the_program_starts_without_the_solver() -> None:
    code = "import sys, kabao.cli; sys.exit('z3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_version_is_published_with_notice_and_listed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert kabao("demo", "--data", data, "--no-serve").returncode == 0
    listed = rulebook("versions", "--data", data, "--json")
    [first] = json.loads(listed.stdout)["versions"]
    assert (first["version"], first["in_force"]) == (packaged_book().edition.version, True)

    changed = tmp_path / "next.yaml"
    changed.write_text(renamed("2027.1"), "utf-8")
    early = rulebook("publish", changed, "--data", data, "--effective", "2020-01-01")
    assert early.returncode == 1
    assert "公示" in early.stderr
    done = rulebook("publish", changed, "--data", data)
    assert done.returncode == 0, done.stderr
    assert "Published 2027.1" in done.stdout
    assert rulebook("publish", changed, "--data", data).returncode == 1
    # The packaged one is published here already.
    again = rulebook("publish", "-", "--data", data)
    assert (again.returncode, "已经公布过" in again.stderr) == (1, True)
    told = rulebook("versions", "--data", data).stdout.splitlines()
    assert told[0].startswith("2027.1  from ")
    assert "in force" in told[1]


def test_a_file_that_cannot_be_read_is_not_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rulebook", "publish", tmp_path / "missing.yaml") == 2
    assert "No such file" in capsys.readouterr().err
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert run("rulebook", "publish", tmp_path / "binary.yaml") == 2
    assert "not UTF-8" in capsys.readouterr().err


def rulebook(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return kabao("rulebook", *arguments)


def test_golden_cases_are_decided_and_the_one_that_differs_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    golden = """\
cases:
  - id: G1
    title: 激活失败
    story: 买家激活失败。
    case: {claim: key_invalid, facts: {key_failed: proved}, amounts: {price_minor: 9650}}
    expect: {outcome: FULL_REFUND, refund_minor: 9650}
"""
    (tmp_path / "a.yaml").write_text(golden, encoding="utf-8")
    assert run("rulebook", "golden", tmp_path) == 0
    assert capsys.readouterr().out == "1 golden cases, 0 problems\n"
    (tmp_path / "a.yaml").write_text(golden.replace("9650}\n", "9649}\n"), encoding="utf-8")
    assert run("rulebook", "golden", tmp_path, "--json") == 1
    [problem] = json.loads(capsys.readouterr().out)["problems"]
    assert problem.startswith("G1: refund_minor is 9650, expected 9649")
