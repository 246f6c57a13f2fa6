"""A witness by c2sp.org/tlog-witness on this machine, which checks what it is sent with tlog-scales, not with our code.

`misdeed` makes it lie or fail in one way.
"""

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tlog_scales.signing import NoteSignature, Vkey
from tlog_scales.tlog import Checkpoint, ConsistencyProof

NAME = "witness.test/w1"


class Watcher:
    """What a witness keeps: the newest size and root of one log, and how often it was asked."""

    def __init__(self, log_key: str, seed: bytes = b"w" * 32, name: str = NAME) -> None:
        self.log_key = Vkey.from_string(log_key)
        self.private = Ed25519PrivateKey.from_private_bytes(seed)
        self.vkey = Vkey(name, None, 4, self.private.public_key().public_bytes_raw())
        self.size, self.root = 0, sha256(b"").digest()
        self.asked: list[tuple[str, bytes]] = []
        self.misdeed = ""
        self.port = 0

    @property
    def text(self) -> str:
        """The key and address, as settings name them."""
        return f"{self.vkey.serialize()} http://127.0.0.1:{self.port}/w"

    def answer(self, path: str, body: bytes) -> tuple[int, str, bytes]:
        self.asked.append((path, body))
        if self.misdeed == "slow":
            time.sleep(1.5)
        if self.misdeed in {"500", "404", "302"}:
            return int(self.misdeed), "text/plain", b""
        head, _, note = body.decode().partition("\n\n")
        old_line, *proof_lines = head.split("\n")
        assert old_line.startswith("old ")
        old = int(old_line.removeprefix("old "))
        checkpoint = Checkpoint.from_text(note)
        checkpoint.verify(self.log_key)
        if old != self.size:
            size = 10**6 if self.misdeed == "knows more" else self.size
            return 409, "text/x.tlog.size", f"{size}\n".encode()
        proof = ConsistencyProof(old, checkpoint.size, [base64.b64decode(line) for line in proof_lines])
        proof.check(self.root, checkpoint.root_hash)
        self.size, self.root = checkpoint.size, checkpoint.root_hash
        return 200, "text/plain", self.cosigned(checkpoint)

    def cosigned(self, checkpoint: Checkpoint) -> bytes:
        at = 1_800_000_000
        signed = f"cosignature/v1\ntime {at}\n{checkpoint.serialize_body()}".encode()
        if self.misdeed == "other tree":
            signed = signed.replace(checkpoint.origin.encode(), b"elsewhere")
        value = at.to_bytes(8) + self.private.sign(signed)
        other = NoteSignature("stranger.test", 7, b"x" * 72).serialize() + "\n"
        mine = NoteSignature.from_vkey_signature(self.vkey, value).serialize() + "\n"
        match self.misdeed:
            case "silent":
                return b""
            case "stranger":
                return other.encode()
            case "huge":
                return (other * 1_000).encode()
        return (other + mine).encode()


@contextmanager
def serving(watcher: Watcher) -> Iterator[Watcher]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, kind, content = watcher.answer(self.path, body)
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content) + (9 if watcher.misdeed == "cut" else 0)))
            self.end_headers()
            if watcher.misdeed == "drip":
                for place in range(len(content)):
                    self.wfile.write(content[place : place + 1])
                    self.wfile.flush()
                    time.sleep(0.2)
            else:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    watcher.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield watcher
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
