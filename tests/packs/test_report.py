"""What the reader is told, by `verify.py` as a stranger runs it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kabao.packs import verify
from packbuilder import LOG, SIGNER, STRANGER, WITNESS, Draft, bytes_of, count, sample

from .conftest import Examine, run_standalone

VERIFIER = Path(verify.__file__)


@pytest.fixture
def pack(stamped: Draft, tmp_path: Path) -> Path:
    path = tmp_path / "pack.zip"
    path.write_bytes(bytes_of(stamped))
    return path


def test_the_verifier_out_of_the_pack_checks_the_pack(stamped: Draft, pack: Path, tmp_path: Path) -> None:
    own = tmp_path / "verify.py"
    own.write_bytes(stamped.files["verify.py"])
    done = run_standalone(own, pack)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[-1] == "结论: 全部通过"
    assert [line[0] for line in lines[:12]] == list("✓✓✓✓✓✓✓✓✓✓—✓")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pack.zip", "verify.py"]


def test_what_fails_is_named_on_its_own_line(pack: Path) -> None:
    whole = pack.read_bytes()
    pack.write_bytes(whole.replace(b"a picture of a payment", b"a picture of a refund!"))
    done = run_standalone(VERIFIER, pack, "--en")
    assert done.returncode == 1
    assert "    ✗ items/001.png, item 1: the content does not have the manifest's SHA-256" in done.stdout.splitlines()
    assert done.stdout.endswith("result: does NOT hold\n")
    pack.write_bytes(whole + b"!")
    done = run_standalone(VERIFIER, pack, "--en")
    assert f"    ✗ the file should have {len(whole)} bytes and has {len(whole) + 1}" in done.stdout.splitlines()
    pack.write_bytes(whole.replace(b"a picture of a payment", b"a picture of a refund!"))
    done = run_standalone(VERIFIER, pack)
    assert "    ✗ items/001.png，第 1 项证据：内容与清单的 SHA-256 不符" in done.stdout.splitlines()


def test_the_report_for_programs_says_the_same(pack: Path) -> None:
    done = run_standalone(VERIFIER, pack, "--json", "--key", SIGNER.text, "--log-key", LOG.text)
    told = json.loads(done.stdout)
    assert done.returncode == told["exit"] == 0
    assert (told["format"], told["verdict"]) == ("kabao-verify/1", "holds")
    assert [check["id"] for check in told["checks"]] == list(verify.TITLES)
    assert {check["state"] for check in told["checks"]} == {"ok", "absent"}
    assert told["about"]["items"][2]["shown"] == "withheld"
    assert [one["authority"] for one in told["timestamps"]] == ["rsa", "ec"]
    assert len(told["notes"]) == 1
    pack.write_bytes(pack.read_bytes()[:-5])
    told = json.loads(run_standalone(VERIFIER, pack, "--json").stdout)
    assert (told["verdict"], told["exit"]) == ("fails", 1)
    assert told["checks"][0]["faults"]


def test_keys_of_ones_own_are_held_to(pack: Path, tmp_path: Path) -> None:
    right = ("--key", SIGNER.text, "--log-key", LOG.text, "--witness", WITNESS.text)
    done = run_standalone(VERIFIER, pack, "--en", *right)
    assert done.returncode == 0
    assert "cosigned by witness.example/w1" in done.stdout
    assert run_standalone(VERIFIER, pack, "--key", STRANGER.text).returncode == 1
    roots = tmp_path / "roots.pem"
    roots.write_bytes(b"none")
    for wrong in (("--key", "x"), ("--authority", str(roots)), ("--authority", "/nowhere"), ("--witness", LOG.text)):
        done = run_standalone(VERIFIER, pack, *wrong)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("verify.py: ")
    assert run_standalone(VERIFIER, pack, "--verifier", "0" * 64).returncode == 1
    assert run_standalone(VERIFIER).returncode == 2


def test_the_program_answers_in_this_process_as_in_its_own(
    pack: Path, capsys: pytest.CaptureFixture[str], stamped: Draft, tmp_path: Path
) -> None:
    roots = tmp_path / "roots.pem"
    roots.write_bytes(stamped.files["authorities/rsa.pem"] + stamped.files["authorities/ec.pem"])
    assert verify.main([str(pack), "--en", "--authority", str(roots)]) == 0
    assert "No authority was named" not in capsys.readouterr().out
    roots.write_bytes(b"none")
    assert verify.main([str(pack), "--authority", str(roots)]) == 2
    assert capsys.readouterr().err == f"verify.py: there is no certificate in {roots}\n"


def test_a_terminal_without_chinese_gets_escapes_instead_of_an_error(pack: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-X", "utf8=0", str(VERIFIER), str(pack)],
        capture_output=True,
        check=False,
        timeout=60,
        env={"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_it_is_one_file_of_the_standard_library() -> None:
    done = run_standalone("-c", "import sys; print('\\n'.join(sorted(sys.stdlib_module_names)))", python=sys.executable)
    known = set(done.stdout.split())
    imported = {
        line.split()[1].partition(".")[0]
        for line in VERIFIER.read_text("utf-8").splitlines()
        if line.startswith(("import ", "from "))
    }
    assert imported <= known | {"__future__"}


def test_it_runs_on_the_oldest_python_it_promises(pack: Path) -> None:
    candidates = [shutil.which("python3.9"), *Path.home().glob(".pyenv/versions/3.9.*/bin/python3")]
    working = [one for one in map(str, filter(None, candidates)) if run_standalone("-V", python=one).returncode == 0]
    if not working:
        pytest.skip("no Python 3.9 here")
    done = run_standalone(VERIFIER, pack, python=working[0])
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_out_of_a_pack_steers_the_terminal(examine: Examine) -> None:
    draft = sample()
    draft.manifest["about"]["title"] = "\x1b[2J"
    draft.manifest["absent"][0]["why"] = "\x1b]0;evil\x07\u202e"
    draft.manifest["items"][0]["name"] = "\x1b[31m.png"
    report = examine(bytes_of(draft))
    for english in (True, False):
        assert not any(char in line for line in report.lines(english=english) for char in "\x1b\x07\u202e\n")


def test_many_faults_are_counted_and_not_all_printed(small: Draft, examine: Examine) -> None:
    for number in range(100, 160):
        small.add(f"documents/{number}.txt", b"right", "document")
    whole = bytes_of(small)
    report = examine(whole.replace(b"right", b"wrong"))
    assert len(report.checks["entries"].faults) == 60
    assert sum("documents/" in line for line in report.lines(english=True)) == verify.FAULTS_SHOWN
    assert any(line.strip() == "… and 40 more" for line in report.lines(english=True))
    assert any(line.strip() == "… 另有 40 处" for line in report.lines(english=False))
    assert report.as_json()["checks"][3]["fault_count"] == 60


def test_progress_is_told_up_to_the_end(small: Draft, tmp_path: Path) -> None:
    small.add("documents/large.bin", bytes(5 * verify.BUFFER), "document")
    path, told = tmp_path / "pack.zip", list[tuple[int, int]]()
    path.write_bytes(bytes_of(small))
    report = verify.check(path, progress=lambda done, total: told.append((done, total)))
    assert report.exit_code == 0
    assert told == sorted(told)
    assert {total for _, total in told} == {path.stat().st_size}
    assert told[-1][0] > 5 * verify.BUFFER


def test_a_pack_of_nothing_but_a_picture_says_what_it_lacks(examine: Examine) -> None:
    draft = sample()
    for name in [*draft.files]:
        if name.startswith(("records/", "proofs/", "checkpoints/", "keys/log", "previews/", "ruling/")):
            draft.drop(name)
    value = draft.manifest
    value |= {"log": None, "records": [], "checkpoints": [], "absent": []}
    value["items"] = [{**value["items"][0], "record": None}]
    count(draft)
    report = examine(bytes_of(draft))
    assert report.exit_code == 0
    states = {name: check.state for name, check in report.checks.items()}
    assert {name for name, state in states.items() if state == "absent"} == {
        *("records", "proofs", "checkpoint", "witnesses", "timestamps"),
    }
    assert {part for part, _ in report.absent} == {"records", "proofs", "checkpoints", "timestamps"}
    value["items"] = []
    draft.drop("items/001.png")
    count(draft)
    assert examine(bytes_of(draft)).checks["items"].state == "absent"
