"""Packs with real timestamps, made once by `openssl ts`."""

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kabao.packs import verify
from opensslauthority import OpensslAuthority, openssl
from packbuilder import Draft, checkpoint_of, sample

SHORT_VERIFIER = b"# what stands for the verifier in packs that only check what is around it\n"


def request_over(message: bytes, folder: Path, digest: str = "sha256") -> bytes:
    (folder / "message").write_bytes(message)
    return openssl("ts", "-query", "-data", str(folder / "message"), f"-{digest}", "-cert")


def answer_over(message: bytes, authority: OpensslAuthority) -> bytes:
    """Have an authority stamp a message."""
    return authority.answer(request_over(message, authority.folder))


@pytest.fixture(scope="session")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> dict[str, OpensslAuthority]:
    folder = tmp_path_factory.mktemp("authorities")
    return {
        "rsa": OpensslAuthority.make(folder / "rsa", kind="rsa"),
        "ec": OpensslAuthority.make(folder / "ec", kind="ec", levels=2),
    }


@pytest.fixture(scope="session")
def _stamped(authorities: dict[str, OpensslAuthority]) -> Draft:
    message = checkpoint_of(sample())
    stamps = {
        name: (answer_over(message, authority), authority.authority.roots_pem)
        for name, authority in authorities.items()
    }
    return sample(stamps=stamps)


@pytest.fixture
def stamped(_stamped: Draft) -> Draft:
    """A pack with everything, stamped by two authorities, to be changed at will."""
    return _stamped.copy()


@pytest.fixture
def small(_stamped: Draft) -> Draft:
    """The same with a verifier of one line, where its bytes do not matter."""
    draft = _stamped.copy()
    draft.files["verify.py"] = SHORT_VERIFIER
    return draft


Examine = Callable[..., verify.Report]


@pytest.fixture
def examine(tmp_path: Path) -> Examine:
    """Check a pack given as bytes."""

    def examined(content: bytes, pins: verify.Pins = verify.NO_PINS) -> verify.Report:
        path = tmp_path / "pack.zip"
        path.write_bytes(content)
        return verify.check(path, pins)

    return examined


def run_standalone(*arguments: str | Path, python: str = "python3") -> subprocess.CompletedProcess[str]:
    """Run the verifier as a stranger does: isolated, in an empty environment."""
    return subprocess.run(
        [python, "-I", *map(str, arguments)],
        capture_output=True,
        check=False,
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        encoding="utf-8",
    )


def commands_of(guide: str) -> list[str]:
    return [line[4:] for line in guide.splitlines() if line.startswith("    ")]


def run_guide(folder: Path) -> subprocess.CompletedProcess[str]:
    """Unpack a pack's guide and do as it says, with what a Linux machine has."""
    guide = zipfile.ZipFile(folder / "pack.zip").read("VERIFY.txt").decode()
    script = "set -euo pipefail\n" + "\n".join(commands_of(guide))
    return subprocess.run(
        ["/bin/bash", "-c", script],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        encoding="utf-8",
    )
