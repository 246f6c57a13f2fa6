"""A timestamp authority made of nothing but the `openssl` program: an implementation that is not ours.

`OpensslAuthority.make(folder, …)` writes a small certification authority and the configuration of `openssl ts`;
`answer` is one `openssl ts -reply`, and `serving` answers over HTTP. The clock is the machine's.
"""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

from kabao.timestamps import Authority

KeyKind = Literal["rsa", "ec"]

_CONFIG = """
[tsa]
default_tsa = stamp
[stamp]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/leaf.pem
certs = {folder}/chain.pem
signer_key = {folder}/leaf.key
signer_digest = sha256
default_policy = 2.999.1
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = {ess}
[req]
distinguished_name = name
utf8 = yes
string_mask = utf8only
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = {usage}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def openssl(*arguments: str) -> bytes:
    """Run the program and return what it wrote; a failure shows its words."""
    done = subprocess.run(["openssl", *arguments], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, (arguments, done.stderr.decode())
    return done.stdout


def verifies(response: bytes, message: bytes, roots_pem: bytes, folder: Path) -> bool:
    """Ask `openssl ts -verify` about a response and the bytes it should be over."""
    for name, content in (("response", response), ("message", message), ("roots", roots_pem)):
        (folder / f"check-{name}").write_bytes(content)
    done = subprocess.run(
        [
            *("openssl", "ts", "-verify", "-in", f"{folder}/check-response"),
            *("-data", f"{folder}/check-message", "-CAfile", f"{folder}/check-roots"),
        ],
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.returncode == 0


@dataclass(slots=True)
class OpensslAuthority:
    """One such authority; `name` and `url` are what settings would say of it."""

    folder: Path
    name: str
    url: str
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def make(
        cls,
        folder: Path,
        *,
        name: str = "openssl",
        url: str = "openssl:",
        kind: KeyKind = "rsa",
        levels: int = 1,
        ess: str = "sha256",
        usage: str = "critical, timeStamping",
        leaf_days: int = 3650,
    ) -> "OpensslAuthority":
        """Make keys and certificates: a root, `levels - 1` authorities below it, and the leaf that stamps."""
        folder.mkdir(parents=True)
        config = folder / "openssl.cnf"
        config.write_text(_CONFIG.format(folder=folder, ess=ess, usage=usage))
        (folder / "serial").write_text("01\n")
        for level in range(levels):
            _key(folder / f"ca{level}.key", kind)
            _certify(folder, config, f"ca{level}", f"ca{level - 1}" if level else "", 7300, "ca")
        _key(folder / "leaf.key", kind)
        _certify(folder, config, "leaf", f"ca{levels - 1}", leaf_days, "leaf")
        chain = [(folder / f"ca{level}.pem").read_bytes() for level in reversed(range(levels))]
        (folder / "chain.pem").write_bytes(b"".join(chain))
        return cls(folder, name, url)

    @property
    def authority(self) -> Authority:
        """This authority as settings would name it, held to its root alone."""
        return Authority(name=self.name, url=self.url, roots_pem=(self.folder / "ca0.pem").read_bytes())

    def answer(self, request: bytes) -> bytes:
        """Answer one TimeStampReq."""
        with self._lock:  # the program keeps its serial number in a file
            (self.folder / "request").write_bytes(request)
            return openssl(
                "ts", "-reply", "-config", f"{self.folder}/openssl.cnf", "-queryfile", f"{self.folder}/request"
            )

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer over HTTP, at `url`, from here on to the end of the block."""
        answer = self.answer

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.headers["Content-Type"] == "application/timestamp-query"
                body = answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{server.server_port}/tsa"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    async def __call__(self, url: str, body: bytes) -> bytes:
        """Stand in for the network, as a `Post`."""
        assert url == self.url
        return self.answer(body)


def _key(path: Path, kind: KeyKind) -> None:
    options = (
        ("RSA", "-pkeyopt", "rsa_keygen_bits:2048") if kind == "rsa" else ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    )
    openssl("genpkey", "-algorithm", *options, "-out", str(path))


def _certify(folder: Path, config: Path, name: str, issuer: str, days: int, section: str) -> None:
    request = folder / f"{name}.csr"
    subject = f"/O=测试，不是时间戳服务机构/CN={name}"
    openssl(
        *("req", "-new", "-utf8", "-config", str(config), "-key", f"{folder}/{name}.key"),
        *("-subj", subject, "-out", str(request)),
    )
    signer = (
        ("-CA", f"{folder}/{issuer}.pem", "-CAkey", f"{folder}/{issuer}.key", "-CAcreateserial")
        if issuer
        else ("-signkey", f"{folder}/{name}.key")
    )
    openssl(
        *("x509", "-req", "-in", str(request), "-days", str(days), "-sha256", "-extfile", str(config)),
        *("-extensions", section, *signer, "-out", f"{folder}/{name}.pem"),
    )
