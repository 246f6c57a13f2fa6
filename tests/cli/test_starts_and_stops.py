"""Starting, stopping, starting again; what is kept; what a killed database or a strange folder comes to."""

import os
import re
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from kabao.cli.main import main
from kabao.cli.program import COMMANDS
from program import KABAO, begin, environment, kabao


def refs(origin: str) -> list[str]:
    return [card["ref"] for card in httpx.get(f"{origin}/api/v1/listings").json()["listings"]]


def test_what_is_in_the_folder_stays_over_a_restart(tmp_path: Path, logs: Path) -> None:
    data = tmp_path / "data"
    made = kabao("demo", "--data", data, "--no-serve")
    assert made.returncode == 0, made.stderr
    assert "has been made" in made.stdout
    again = kabao("demo", "--data", data, "--no-serve")
    assert "stay as they are" in again.stdout

    # What a power cut while it was being made leaves behind.
    (data / "demo-unfinished").touch()
    broken = kabao("demo", "--data", data, "--no-serve")
    assert (broken.returncode, "incomplete" in broken.stdout, str(data) in broken.stdout) == (0, True, True)
    (data / "demo-unfinished").unlink()
    first = begin("demo", data, logs)
    before = refs(first.origin)
    assert len(before) == 12
    assert "stay as they are" in first.output
    assert len(re.findall("/sign-in/link/", first.output)) == 11
    assert first.stop(signal.SIGINT) == 0

    second = begin("serve", data, logs)
    assert refs(second.origin) == before
    assert "/sign-in/link/" not in second.output
    assert second.stop(signal.SIGTERM) == 0
    assert kabao("ledger", "audit", "--data", data).returncode == 0


def test_a_killed_database_comes_back_and_a_killed_program_leaves_the_data_whole(tmp_path: Path, logs: Path) -> None:
    data = tmp_path / "data"
    serving = begin("demo", data, logs)
    before = refs(serving.origin)
    postmaster = int((data / "postgres" / "postmaster.pid").read_text("ascii").splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    deadline = time.monotonic() + 30
    seen = set()
    while time.monotonic() < deadline:
        answer = httpx.get(f"{serving.origin}/healthz", timeout=30)
        seen.add(answer.status_code)
        current = (data / "postgres" / "postmaster.pid").read_text("ascii").split("\n")[0] if answer.is_success else ""
        if answer.status_code == 200 and current != str(postmaster):
            break
        time.sleep(0.05)
    assert seen <= {200, 503}
    assert refs(serving.origin) == before
    # And the program itself, without a chance to stop anything.
    assert serving.stop(signal.SIGKILL) == -signal.SIGKILL
    audit = kabao("ledger", "audit", "--data", data)
    assert audit.returncode == 0, audit.stderr
    third = begin("serve", data, logs)
    assert refs(third.origin) == before
    assert third.stop() == 0


def test_a_folder_that_is_not_kabaos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine", "utf-8")
    for command in (("serve", "--port", "0"), ("demo", "--port", "0"), ("ledger", "audit"), ("db", "check")):
        done = kabao(*command, "--data", tmp_path)
        assert done.returncode == 3, command
        assert done.stderr.startswith("kabao: ")
        assert "Traceback" not in done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["letter.txt"]


def test_a_folder_of_a_newer_kabao_is_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "VERSION").write_text('{"kabao":"9.0","schema":9000,"postgres":18}', "utf-8")
    done = kabao("serve", "--data", data, "--port", "0")
    assert done.returncode == 3
    assert "newer kabao 9.0" in done.stderr
    assert [entry.name for entry in data.iterdir()] == ["VERSION"]


def test_a_database_that_cannot_be_reached_is_said(tmp_path: Path) -> None:

    done = subprocess.run(
        [KABAO, "serve", "--data", str(tmp_path / "data"), "--port", "0"],
        capture_output=True,
        check=False,
        timeout=60,
        env=environment(KABAO_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"),
    )
    assert done.returncode == 4
    assert b"cannot be reached" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_database_is_made_by_migrate_and_checked(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = kabao("db", "migrate", "--data", data)
    assert made.returncode == 0, made.stderr
    assert "nothing pending" in made.stdout
    assert kabao("db", "check", "--data", data).returncode == 0
    (data / "secrets").mkdir(mode=0o755)
    (data / "secrets").chmod(0o755)
    wide = kabao("sweep", "status", "--data", data)
    assert wide.returncode == 3
    assert "chmod" in wide.stderr


def test_the_help_explains_itself() -> None:
    whole = kabao("--help")
    assert whole.returncode == 0
    for command in ("serve", "demo", "db", "ledger", "keys", "token", "sweep", "staff"):
        assert command in whole.stdout
    assert "Exit codes" in whole.stdout
    for command in (["serve"], ["keys", "import"], ["ledger", "audit"], ["token", "create"], ["staff", "code"]):
        assert "--data" in kabao(*command, "--help").stdout
    assert kabao("--version").stdout.strip()
    assert kabao("serve", "--nonsense").returncode not in (0, 3, 4)


def test_help_works_within_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "kabao" in capsys.readouterr().out


def test_every_command_is_found_and_the_list_of_them_loads_no_server() -> None:
    for name, (place, says) in COMMANDS.items():
        module, _, found = place.partition(":")
        assert getattr(import_module(f"kabao.cli.{module}"), found) is not None, name
        assert says
    code = (
        "import sys; from kabao.cli import main\ntry: main({given})\nexcept SystemExit: pass\n"
        "sys.exit('kabao.wiring' in sys.modules or 'sqlalchemy' in sys.modules)"
    )
    for given in (["--help"], ["log", "--help"], ["rulebook", "facts"], ["evidence", "verify", "nothing.zip"]):
        ran = [sys.executable, "-c", code.replace("{given}", repr(given))]
        assert subprocess.run(ran, check=False, capture_output=True).returncode == 0, given


def test_the_help_of_a_command_is_complete_though_its_module_is_loaded_late(capsys: pytest.CaptureFixture[str]) -> None:
    for given, says in (
        (["serve"], "KABAO_DATABASE_URL"),
        (["evidence", "export"], "named, here and in the pack"),
        (["rulebook", "publish"], "2 where the file"),
        (["log", "audit"], "first faults"),
        (["rulebook", "proposals"], "take-up"),
    ):
        with pytest.raises(SystemExit):
            main([*given, "--help"])
        assert says in " ".join(capsys.readouterr().out.split())
