"""Two simulated timestamp authorities, RSA and ECDSA, that answer as real ones do. Their time proves nothing.

They stand in where nobody has named an authority, in the demo and in tests. Whoever holds the data folder holds their
keys and could write any time, which their certificates say in their names.
"""

import os
import secrets
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kabao.postgres import ExplainedError
from kabao.timestamps import der
from kabao.timestamps.model import Authority
from kabao.timestamps.ports import Unreachable

NAME: Final = "演示时间戳机构（无证明力）"
SCHEME: Final = "sandbox:"
KINDS: Final = ("rsa", "ecdsa")

_FROM: Final = datetime(2024, 1, 1, tzinfo=UTC)
_UNTIL: Final = datetime(2049, 12, 31, tzinfo=UTC)
_RSA_BITS: Final = 2048
_SERIAL_BITS: Final = 120
_OTHERS: Final = 0o077
_MAX_FILE_BYTES: Final = 16_384

_SHA256: Final = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))
_IMPRINT_ALGORITHMS: Final = (_SHA256, der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.NULL))
_SIGNED_DATA: Final = der.oid("1.2.840.113549.1.7.2")
_TST_INFO: Final = der.oid("1.2.840.113549.1.9.16.1.4")
_CONTENT_TYPE: Final = der.oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST: Final = der.oid("1.2.840.113549.1.9.4")
_SIGNING_CERTIFICATE_V2: Final = der.oid("1.2.840.113549.1.9.16.2.47")
_RSA_ENCRYPTION: Final = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.NULL)
_ECDSA_WITH_SHA256: Final = der.sequence(der.oid("1.2.840.10045.4.3.2"))
_POLICY: Final = der.oid("2.999.3161")
"""Below 2.999, the arc kept for examples (X.660)."""
_ACCURACY: Final = der.sequence(der.integer(1))

_REJECTION: Final = 2
_BAD_ALGORITHM: Final = 0
_BAD_FORMAT: Final = 5
"""Bits of PKIFailureInfo (RFC 3161, 2.4.2)."""

Key: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class SandboxRefused(ExplainedError):  # noqa: N818  a refusal, in the project's own word
    """A file of the simulated authorities may not or cannot be used; nothing was changed."""


class _Request(NamedTuple):
    imprint: bytes
    nonce: bytes
    wants_certificates: bool


class _BadRequestError(Exception):
    def __init__(self, failure: int) -> None:
        super().__init__(failure)
        self.failure = failure


class Signer(NamedTuple):
    """What an authority signs with: its key, its own certificate, and the root that vouches for it."""

    key: Key
    leaf: x509.Certificate
    root: x509.Certificate


class SandboxAuthorities:
    """The two simulated authorities of one installation.

    `folder` is the data folder's `secrets`; each authority's key and certificates are made there on first use, in a
    file that one account may read. `now` is their own clock, as any institution has one. Raises SandboxRefused.
    """

    def __init__(self, folder: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._signers = {SCHEME + kind: _opened(folder / f"timestamp-sandbox-{kind}.pem", kind) for kind in KINDS}
        self._now = now

    @property
    def authorities(self) -> tuple[Authority, ...]:
        """The two as settings would name them."""
        return tuple(
            Authority(
                name=f"sandbox-{url.removeprefix(SCHEME)}",
                url=url,
                roots_pem=signer.root.public_bytes(Encoding.PEM),
            )
            for url, signer in self._signers.items()
        )

    async def __call__(self, url: str, body: bytes) -> bytes:
        """Answer a request as if posted to the authority's address. Raises Unreachable for any other address."""
        signer = self._signers.get(url)
        if signer is None:
            raise Unreachable("no such simulated authority")
        return respond(signer, body, self._now())


def respond(signer: Signer, request: bytes, now: datetime) -> bytes:
    """Answer one TimeStampReq with a TimeStampResp (RFC 3161, 2.4): a stamp, or a rejection with its reason."""
    try:
        asked = _read_request(request)
    except _BadRequestError as bad:
        failure = 1 << (7 - bad.failure)
        return der.sequence(
            der.sequence(der.integer(_REJECTION), der.value(der.BIT_STRING, bytes((7 - bad.failure, failure))))
        )
    info = der.sequence(
        der.integer(1),
        _POLICY,
        asked.imprint,
        der.integer(secrets.randbits(_SERIAL_BITS) | 1),
        der.generalized_time(now),
        _ACCURACY,
        asked.nonce,
    )
    certificates = [signer.leaf, signer.root] if asked.wants_certificates else []
    return der.sequence(der.sequence(der.integer(0)), _signed(signer, info, certificates))


def _read_request(request: bytes) -> _Request:
    try:
        version, imprint, *rest = der.read(request).children()
        algorithm, digest = imprint.children()
    except ValueError:
        raise _BadRequestError(_BAD_FORMAT) from None
    if version.raw != der.integer(1) or digest.tag != der.OCTET_STRING:
        raise _BadRequestError(_BAD_FORMAT)
    if algorithm.raw not in _IMPRINT_ALGORITHMS or len(digest.body) != sha256().digest_size:
        raise _BadRequestError(_BAD_ALGORITHM)
    nonces = [part.raw for part in rest if part.tag == der.INTEGER]
    wants = any(part.tag == der.BOOLEAN and part.body == der.TRUE for part in rest)
    return _Request(imprint.raw, b"".join(nonces[:1]), wants)


def _signed(signer: Signer, info: bytes, certificates: list[x509.Certificate]) -> bytes:
    """Wrap a TSTInfo into a ContentInfo of CMS SignedData (RFC 5652) with one signer (RFC 5816)."""
    leaf = signer.leaf.public_bytes(Encoding.DER)
    attributes = [
        _attribute(_CONTENT_TYPE, _TST_INFO),
        _attribute(_MESSAGE_DIGEST, der.octets(sha256(info).digest())),
        _attribute(
            _SIGNING_CERTIFICATE_V2,
            der.sequence(der.sequence(der.sequence(der.octets(sha256(leaf).digest())))),
        ),
    ]
    algorithm, signature = _sign(signer.key, der.set_of(attributes))
    signer_info = der.sequence(
        der.integer(1),
        der.sequence(signer.leaf.issuer.public_bytes(), der.integer(signer.leaf.serial_number)),
        _SHA256,
        der.set_of(attributes, tag=der.TAGGED_0),
        algorithm,
        der.octets(signature),
    )
    carried = [der.set_of((c.public_bytes(Encoding.DER) for c in certificates), tag=der.TAGGED_0)] * bool(certificates)
    data = der.sequence(
        der.integer(3),
        der.set_of([_SHA256]),
        der.sequence(_TST_INFO, der.value(der.TAGGED_0, der.octets(info))),
        *carried,
        der.set_of([signer_info]),
    )
    return der.sequence(_SIGNED_DATA, der.value(der.TAGGED_0, data))


def _attribute(kind: bytes, content: bytes) -> bytes:
    return der.sequence(kind, der.set_of([content]))


def _sign(key: Key, message: bytes) -> tuple[bytes, bytes]:
    if isinstance(key, rsa.RSAPrivateKey):
        return _RSA_ENCRYPTION, key.sign(message, padding.PKCS1v15(), SHA256())
    return _ECDSA_WITH_SHA256, key.sign(message, ec.ECDSA(SHA256()))


def _opened(path: Path, kind: str) -> Signer:
    if not path.exists():
        _keep(path, _made(kind))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SandboxRefused(
            zh=f"演示时间戳机构的密钥文件 {path} 打不开（{error.strerror}），没有启动。",
            en=f"The key file {path} of the simulated authority cannot be opened ({error.strerror}).",
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        text = file.read(_MAX_FILE_BYTES)
    if mode & _OTHERS:
        raise SandboxRefused(
            zh=f"{path} 的权限是 {stat.S_IMODE(mode):04o}，别的账号也能碰到，没有启动。请执行 chmod 600 {path}。",
            en=f"{path} has mode {stat.S_IMODE(mode):04o}, so other accounts reach it. Run: chmod 600 {path}",
        )
    try:
        key = load_pem_private_key(text, None)
        leaf, root = x509.load_pem_x509_certificates(text)
    except ValueError:
        key = None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise SandboxRefused(
            zh=f"演示时间戳机构的密钥文件 {path} 损坏了，没有启动。删掉它就会重新生成一份。",
            en=f"The key file {path} of the simulated authority is damaged; remove it and a new one is made.",
        )
    return Signer(key, leaf, root)


def _made(kind: str) -> bytes:
    """Make a root, a leaf for timestamping alone, and the leaf's key; the root's key is thrown away."""
    root_key, key = _new_key(kind), _new_key(kind)
    root_name, leaf_name = _name(f"{NAME}根证书 {kind.upper()}"), _name(f"{NAME}{kind.upper()}")
    basics = x509.BasicConstraints(ca=True, path_length=0)
    root = (
        _certificate(root_name, root_name, root_key)
        .add_extension(basics, critical=True)
        .add_extension(_usage(is_ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, SHA256())
    )
    leaf = (
        _certificate(leaf_name, root_name, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return secret + leaf.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM)


def _new_key(kind: str) -> Key:
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "卡保演示，不是时间戳服务机构"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _certificate(subject: x509.Name, issuer: x509.Name, key: Key) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
    )


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def _keep(path: Path, content: bytes) -> None:
    temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link never replaces a file, so of two processes that start at once, one makes the key.
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
