"""`kabao evidence export` and `erase`, beside a running demo: the pack verifies as a stranger would, keyless."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from program import kabao

Demo = tuple[Path, Any]
KEY = re.compile(rb"DEMO(?:-[0-9A-Z]{4}){4}")


@pytest.fixture(scope="module")
def case(demo: Demo) -> str:
    """The reference of the buyer's case in negotiation, with the merchant's offer in it."""
    data, serving = demo
    token = kabao("token", "create", "--data", data, "--account", "演示买家", "--role", "buyer").stdout.strip()
    answer = httpx.get(f"{serving.origin}/api/v1/cases", headers={"authorization": f"Bearer {token}"})
    ref: str = next(one["ref"] for one in answer.json()["cases"] if one["stage"] == "negotiation")
    return ref


def exported(data: Path, ref: str, target: Path, *options: str) -> dict[str, Any]:
    done = kabao("evidence", "export", ref, "-o", target, "--data", data, "--json", *options)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_the_demo_s_pack_holds_for_kabao_and_for_bare_python(demo: Demo, case: str, tmp_path: Path) -> None:
    pack = tmp_path / "pack.zip"
    said = exported(demo[0], case, pack)
    assert said["pack"] == str(pack)
    assert set(said["absent"]) <= {"ruling"}
    checked = kabao("evidence", "verify", pack)
    assert checked.returncode == 0, checked.stdout
    with zipfile.ZipFile(pack) as opened:
        script = Path(opened.extract("verify.py", tmp_path))
    done = subprocess.run(
        [sys.executable, "-I", str(script), str(pack)], capture_output=True, text=True, check=False, env={}
    )
    assert done.returncode == 0, done.stdout
    assert "kabao" not in done.stderr


def test_a_pack_never_holds_a_card_key(demo: Demo, case: str, tmp_path: Path) -> None:
    for options in ((), ("--redacted",)):
        pack = tmp_path / f"pack{len(options)}.zip"
        exported(demo[0], case, pack, *options)
        assert KEY.search(pack.read_bytes()) is None


def test_what_is_there_is_not_written_over_and_nonsense_is_refused(demo: Demo, case: str, tmp_path: Path) -> None:
    pack = tmp_path / "pack.zip"
    pack.write_text("mine")
    done = kabao("evidence", "export", case, "-o", pack, "--data", demo[0])
    assert done.returncode == 1
    assert pack.read_text() == "mine"
    assert kabao("evidence", "export", "1-NOTHING", "-o", tmp_path / "x.zip", "--data", demo[0]).returncode == 1
    assert not (tmp_path / "x.zip").exists()


def test_a_record_is_erased_and_the_log_and_the_pack_stay_whole(demo: Demo, case: str, tmp_path: Path) -> None:
    data = demo[0]
    before = tmp_path / "before.zip"
    exported(data, case, before)
    with zipfile.ZipFile(before) as opened:
        records = {name: json.loads(opened.read(name)) for name in opened.namelist() if name.startswith("records/")}
        number = next(name[8:14] for name, body in records.items() if body["content"].get("event") == "offered")
        proof = opened.read(f"proofs/{number}.tlog-proof").decode()
    found = re.search(r"^index (\d+)$", proof, re.MULTILINE)
    assert found is not None
    assert kabao("token", "create", "--data", data, "--account", "值班", "--role", "support").returncode == 0
    assert kabao("token", "create", "--data", data, "--account", "路人", "--role", "buyer").returncode == 0
    nobody = ("evidence", "erase", case, "--record", found[1], "--data", data, "--reason", "x", "--by", "路人")
    refused = kabao(*nobody)
    assert refused.returncode == 1
    assert "no staff account" in refused.stderr
    erase = ("evidence", "erase", case, "--record", found[1], "--data", data, "--by", "值班")
    assert kabao(*erase, "--reason", "").returncode == 1
    done = kabao(*erase, "--reason", "应本人要求")
    assert done.returncode == 0, done.stderr
    assert kabao(*erase, "--reason", "应本人要求").returncode == 1
    after = tmp_path / "after.zip"
    exported(data, case, after)
    assert kabao("evidence", "verify", after).returncode == 0
    assert "抱歉，先给你补发一枚新的".encode() not in after.read_bytes()
    assert kabao("evidence", "verify", before).returncode == 0
