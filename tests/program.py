"""The program itself, started as people start it."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

KABAO = str(Path(sys.executable).with_name("kabao"))
START_SECONDS = 240.0  # a build machine may stand still for a while


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KABAO_", "LC_", "LANG"))}
    return kept | {"LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"} | more


def kabao(*arguments: str | Path, give: bytes | None = None, lang: str = "C.UTF-8") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [KABAO, *map(str, arguments)],
        input=give,
        capture_output=True,
        check=False,
        timeout=120,
        env=environment(LANG=lang),
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Serving:
    """A running `kabao serve` or `kabao demo`."""

    process: subprocess.Popen[bytes]
    origin: str
    said: Path
    complained: Path

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)

    @property
    def output(self) -> str:
        return self.said.read_text("utf-8")


def begin(command: str, data: Path, logs: Path, *options: str) -> Serving:
    """Start it and wait until the address answers 200."""
    port = free_port()
    said, complained = logs / f"{command}-{port}.out", logs / f"{command}-{port}.err"
    out: IO[bytes]
    with said.open("wb") as out, complained.open("wb") as err:
        process = subprocess.Popen(
            [KABAO, command, "--data", str(data), "--port", str(port), *options],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=environment(),
        )
    serving = Serving(process, f"http://127.0.0.1:{port}", said, complained)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(serving.origin, timeout=5).status_code == 200 and "Ctrl-C" in serving.output:
                return serving
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    serving.stop(signal.SIGKILL)
    raise AssertionError(f"{command} did not start: {complained.read_text('utf-8')[-2000:]}")
