"""An operator's own gateway on this machine: an http server that keeps what it is sent and answers as it is told."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "a secret of the operator's own, long enough"


@dataclass
class Gate:
    """What the gateway was sent, with its signature; `answers` are given one after the other, then 202."""

    port: int
    answers: list[int] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    signed: list[tuple[str, bytes]] = field(default_factory=list)
    pause: float = 0.0

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def lines(self, channel: str) -> list[str]:
        return [one["line"] for one in self.taken if one["channel"] == channel]


@contextmanager
def standing() -> Iterator[Gate]:
    """Serve a gateway until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            gate.signed.append((self.headers["Kabao-Signature"], body))
            time.sleep(gate.pause)
            answer = gate.answers.pop(0) if gate.answers else 202
            if answer < 300:
                gate.taken.append(json.loads(body))
            self.send_response(answer)
            if 300 <= answer < 400:
                self.send_header("Location", gate.url("elsewhere"))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gate = Gate(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield gate
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
