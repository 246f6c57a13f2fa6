"""Measures how fast a pack is verified beside `sha256sum` over the same bytes, and how much memory that takes."""

import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from kabao.packs import verify
from kabao.packs.model import Absent, PackContent, PackItem
from kabao.packs.signer import PackSigner
from kabao.packs.writer import write_pack

CHUNK: Final = 1 << 20
SMALL_SHARE: Final = 16
_LONG_AGO: Final = datetime(2026, 1, 1, tzinfo=UTC)


class _Run(NamedTuple):
    seconds: float
    exit_code: int
    peak_bytes: int


def bench_verify(megabytes: int = 1024, rounds: int = 3) -> dict[str, Any]:
    """Write a pack of `megabytes` (MiB, in files of at most 1 GiB), verify it and hash it; the medians count.

    `ratio` is the verifier's rate by that of `sha256sum`: both read the same file, each in a process of its own. The
    peaks are of the verifier's process over this pack and over one a sixteenth its size, and nearly equal where memory
    is flat. Raises RuntimeError where a verdict is wrong, one on an altered pack included.
    """
    with tempfile.TemporaryDirectory(prefix="kabao-bench-") as folder:
        pack, small = Path(folder) / "pack.zip", Path(folder) / "small.zip"
        _write(pack, megabytes)
        _write(small, max(1, megabytes // SMALL_SHARE))
        verifier = [sys.executable, "-I", verify.__file__]
        verified, hashed = [], []
        for _ in range(rounds):
            hashed.append(_run(["sha256sum", str(pack)]))
            verified.append(_run([*verifier, str(pack)]))
        small_run = _run([*verifier, str(small)])
        _flip(pack)
        altered = _run([*verifier, str(pack)])
        if any(run.exit_code for run in (*verified, *hashed, small_run)) or altered.exit_code != 1:
            raise RuntimeError("a pack that holds was refused, or an altered one was not")
        seconds = statistics.median(run.seconds for run in verified)
        beside = statistics.median(run.seconds for run in hashed)
        return {
            "ratio": round(beside / seconds, 3),
            "verify_bytes_per_second": round(pack.stat().st_size / seconds),
            "sha256sum_bytes_per_second": round(pack.stat().st_size / beside),
            "bytes": pack.stat().st_size,
            "peak_bytes": max(run.peak_bytes for run in verified),
            "peak_bytes_small": small_run.peak_bytes,
        }


def _write(target: Path, megabytes: int) -> None:
    """Write a pack of files that no machine could compress, the same every time."""
    items = []
    for number, start in enumerate(range(0, megabytes, 1024), 1):
        length = min(1024, megabytes - start)

        def content(seed: int = number, length: int = length) -> Iterator[bytes]:
            chance = random.Random(seed)  # noqa: S311  bytes to be hashed, and the same every time
            yield from (chance.randbytes(CHUNK) for _ in range(length))

        digest = sha256()
        for chunk in content():
            digest.update(chunk)
        items.append(
            PackItem(
                no=number,
                name=f"{number}.mp4",
                media_type="video/mp4",
                size=length * CHUNK,
                sha256=digest.digest(),
                record=None,
                shown="original",
                extension="mp4",
                source=content,
            )
        )
    absent = tuple(Absent(part=part, why="bench") for part in ("records", "proofs", "checkpoints", "timestamps"))
    content_of_pack = PackContent(
        variant="full", order=None, case=None, title="bench", made_at=_LONG_AGO, items=tuple(items), absent=absent
    )
    write_pack(target, content_of_pack, PackSigner(name="bench", seed=bytes(32)))


def _run(command: list[str]) -> _Run:
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603  our own verifier, and sha256sum
    peaks = [0]
    watching = threading.Thread(target=lambda: peaks.extend(_peaks_of(process.pid)))
    watching.start()
    exit_code = process.wait()
    seconds = time.perf_counter() - started
    watching.join()
    return _Run(seconds, exit_code, max(peaks))


def _peaks_of(pid: int) -> Iterator[int]:
    """Yield a process's peak of resident memory until it ends; nothing where the system has no /proc.

    Not getrusage, which counts what this process had when it forked.
    """
    with suppress(OSError):
        while match := re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("utf-8")):
            yield int(match[1]) * 1024
            time.sleep(0.02)


def _flip(pack: Path) -> None:
    """Flip one bit in the middle of the largest content."""
    with pack.open("r+b") as file:
        file.seek(pack.stat().st_size // 2)
        was = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes((was[0] ^ 1,)))
