"""`kabao terms` and `kabao bench terms`: contract, exit codes, SARIF."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest

from kabao.cli import main

ROOT = Path(__file__).parents[2]
PUBLISHED = (ROOT / "tests" / "vectors" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8")
# One pattern of the published schema has a bracket that strict readers want escaped.
SCHEMA = json.loads(PUBLISHED.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}\\\\]?$"))


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def notice(tmp_path: Path) -> Path:
    path = tmp_path / "公告.txt"
    path.write_text(
        "虚拟商品一经售出，概不退换。\n我们会尽快发货。\n# kabao: allow K05 示例\n最终解释权归本店\n", "utf-8"
    )
    return path


def test_the_contract_of_the_json_is_kept(notice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("terms", "check", notice, "--json", "--clause") == 1
    told = json.loads(capsys.readouterr().out)
    assert {"findings", "fine", "profile"} <= set(told)
    first = told["findings"][0]
    assert {"class", "id", "words", "line", "start", "end", "law", "rewrite", "confidence"} <= set(first)
    assert (first["class"], first["id"], first["line"], first["start"], first["end"]) == ("VOID", "K01", 1, 0, 13)
    assert [finding["class"] for finding in told["findings"]] == ["VOID", "VAGUE"]
    assert 0 < first["confidence"] <= 1
    assert isinstance(told["profile"], dict)
    assert isinstance(first["law"], list)


def test_exit_codes_say_clean_found_and_unreadable(
    notice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = tmp_path / "clean.txt"
    clean.write_text("卡密无效的，凭订单号退款。", "utf-8")
    assert run("terms", "check", clean, "--clause") == 0
    assert run("terms", "check", notice, "--clause", "--fail-on", "conflict") == 0
    assert run("terms", "check", notice, "--clause", "--fail-on", "none") == 0
    assert run("terms", "check", notice, "--clause", "--fail-on", "high") == 1
    assert run("terms", "check", clean, "--notice", notice, "--kind", "page", "--clause") == 1
    shown = capsys.readouterr().out
    assert "依法应属无效" in shown
    assert "已放行 K05" in shown
    clean.write_text("# kabao: allow K99 示例\n卡密无效的，凭订单号退款。", "utf-8")
    assert run("terms", "check", clean, "--clause") == 0
    assert "clean.txt:1 [放行没有用上] K99" in capsys.readouterr().out
    assert run("terms", "check", clean, "--json", "--sarif") == 2
    assert "exclude each other" in capsys.readouterr().err
    assert run("terms", "check", tmp_path / "none.txt") == 2
    (tmp_path / "empty.txt").write_bytes(b"")
    assert run("terms", "check", tmp_path / "empty.txt", "--json") == 2
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    with (tmp_path / "large.pdf").open("wb") as large:
        large.truncate(50_000_000)
    assert run("terms", "check", tmp_path / "large.pdf") == 2
    assert "文件有 50 MB，最多读 20 MB" in capsys.readouterr().out


def test_sarif_is_valid_against_the_published_schema(
    notice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.txt"
    page.write_text("付款后24小时内发货。\n支持7天无理由退货。", "utf-8")
    run("terms", "check", notice, "--page", page)
    assert "以此为准：page.txt:2 支持7天无理由退货" in capsys.readouterr().out
    assert run("terms", "check", notice, "--page", page, "--sarif") == 1
    log = json.loads(capsys.readouterr().out)
    validator = jsonschema_rs.validator_for(SCHEMA)
    validator.validate(log)
    results = log["runs"][0]["results"]
    assert any("suppressions" in result for result in results)
    assert any("relatedLocations" in result for result in results)
    del log["runs"][0]["tool"]
    assert not validator.is_valid(log)


def test_its_help_names_the_whole_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("terms", "check", "--help") == 0
    assert "kabao terms check" in capsys.readouterr().out


def test_the_command_starts_without_the_server() -> None:
    code = (
        "import sys; from kabao.cli import main\ntry: main(['terms', '--help'])\nexcept SystemExit: pass\n"
        "sys.exit('kabao.wiring' in sys.modules or 'pypdf' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_the_bench_prints_figures_of_both_halves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for half in ("development", "test"):
        (tmp_path / half).mkdir()
        (tmp_path / half / "a.yaml").write_text(
            "title: a\nkind: notice\nclauses:\n  - {text: 售出概不退款, labels: [{class: VOID, id: K01}]}\n"
            "  - {text: 卡密无效可退, labels: [], looks_like: K01}\n"
            "  - {text: 您好, labels: [{class: VAGUE, id: V-TIME}]}\n",
            "utf-8",
        )
    assert run("bench", "terms", tmp_path, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["test"]["VOID"] == {"labelled": 1, "precision": 1.0, "recall": 1.0}
    assert told["test"]["VAGUE"]["recall"] == 0.0
    assert told["passed"] is False
    assert run("bench", "terms", tmp_path) == 1
    (tmp_path / "test" / "a.yaml").write_text("title: [", "utf-8")
    assert run("bench", "terms", tmp_path) == 2
