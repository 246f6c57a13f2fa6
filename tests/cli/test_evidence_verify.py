"""`kabao evidence verify`: the same verdicts as the file in the pack, for whoever has kabao at hand."""

import json
from pathlib import Path

import pytest

from packbuilder import LOG, SIGNER, STRANGER, WITNESS, bytes_of, sample
from program import kabao


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pack") / "pack.zip"
    path.write_bytes(bytes_of(sample()))
    return path


def test_a_pack_that_holds_ends_with_0(pack: Path) -> None:
    done = kabao("evidence", "verify", pack, lang="zh_CN.UTF-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("结论: 全部通过\n")
    done = kabao(
        *("evidence", "verify", pack, "--key", STRANGER.text, "--key", SIGNER.text, "--log-key", LOG.text),
        *("--witness", WITNESS.text),
    )
    assert done.stdout.endswith("result: everything holds\n")
    assert "No signer was named" not in done.stdout


def test_a_pack_that_fails_ends_with_1_and_names_what_fails(pack: Path, tmp_path: Path) -> None:
    altered = tmp_path / "altered.zip"
    altered.write_bytes(pack.read_bytes().replace(b"a picture of a payment", b"a picture of a refund!"))
    done = kabao("evidence", "verify", altered)
    assert done.returncode == 1
    assert "✗ items/001.png, item 1: the content does not have the manifest's SHA-256" in done.stdout
    told = json.loads(kabao("evidence", "verify", altered, "--json").stdout)
    assert (told["exit"], told["verdict"]) == (1, "fails")
    assert kabao("evidence", "verify", pack, "--key", STRANGER.text).returncode == 1


def test_a_verifier_that_was_never_released_is_told(tmp_path: Path) -> None:
    draft = sample()
    draft.files["verify.py"] = b"import os  # something else\n"
    path = tmp_path / "pack.zip"
    path.write_bytes(bytes_of(draft))
    done = kabao("evidence", "verify", path)
    assert done.returncode == 0
    assert "Hint: the verify.py in the pack is no release that is known here; do not run it." in done.stdout
    changed = path.read_bytes().replace(b"something else", b"something evil")
    path.write_bytes(changed)
    done = kabao("evidence", "verify", path)
    assert done.returncode == 1
    assert "✗ verify.py: is not the one the manifest names" in done.stdout


def test_what_is_not_a_pack_ends_with_2(pack: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    other.write_bytes(b"hello")
    for path in (other, tmp_path, tmp_path / "nowhere.zip"):
        done = kabao("evidence", "verify", path)
        assert done.returncode == 2
        assert done.stdout.startswith("✗ not an evidence pack: ")
    for wrong in (("--key", "x"), ("--authority", tmp_path / "nowhere.pem"), ("--authority", other)):
        done = kabao("evidence", "verify", pack, *wrong)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("kabao: ")
    assert "公钥的写法无效" in kabao("evidence", "verify", pack, "--key", "x", lang="zh_CN.UTF-8").stderr
