"""Answers of timestamp authorities that are almost right: each lie is one step from a stamp that holds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kabao.timestamps import Authority, der, sandbox
from kabao.timestamps.sandbox import Signer

STAMPING = ExtendedKeyUsageOID.TIME_STAMPING


def signer(
    *,
    purposes: tuple[x509.ObjectIdentifier, ...] = (STAMPING,),
    is_critical: bool = True,
    ends: timedelta = timedelta(days=365),
    root_of: Signer | None = None,
    key: rsa.RSAPrivateKey | None = None,
    root_key: rsa.RSAPrivateKey | None = None,
    serial: int = 7,
) -> Signer:
    """Make a root and a leaf as the wishes say; RSA, so that a signature's length never changes."""
    root_key = root_key or new_key()
    key = key or new_key()
    root = (
        root_of.root
        if root_of
        else certificate("root", "root", root_key, root_key, ends=timedelta(days=3650), is_ca=True)
    )
    leaf = certificate(
        "leaf", "root", key, root_key, ends=ends, purposes=purposes, is_critical=is_critical, serial=serial
    )
    return Signer(key, leaf, root)


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(
    subject: str,
    issuer: str,
    key: rsa.RSAPrivateKey,
    signing_key: rsa.RSAPrivateKey,
    *,
    ends: timedelta,
    purposes: tuple[x509.ObjectIdentifier, ...] = (),
    is_critical: bool = True,
    is_ca: bool = False,
    serial: int = 1,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=is_critical)
    return builder.sign(signing_key, SHA256())


def authority(of: Signer, name: str = "liar") -> Authority:
    return Authority(name=name, url=f"{name}:", roots_pem=of.root.public_bytes(Encoding.PEM))


def answer(of: Signer, request: bytes, now: datetime | None = None) -> bytes:
    return sandbox.respond(of, request, now or datetime.now(UTC))


def with_digest(request: bytes, digest: bytes) -> bytes:
    """Ask, under the same nonce, for another digest."""
    version, imprint, *rest = der.read(request).children()
    algorithm = imprint.children()[0]
    return der.sequence(version.raw, der.sequence(algorithm.raw, der.octets(digest)), *(part.raw for part in rest))


def without_nonce(request: bytes) -> bytes:
    version, *rest = der.read(request).children()
    return der.sequence(version.raw, *(part.raw for part in rest if part.tag != der.INTEGER))


def without_certificates(request: bytes) -> bytes:
    return der.sequence(*(part.raw for part in der.read(request).children() if part.tag != der.BOOLEAN))


def resigned(response: bytes, of: Signer, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    """Change the attributes that are signed, and sign them again with the authority's own key."""
    status, token = der.read(response).children()
    kind, wrapped = token.children()
    *parts, signers = der.read(wrapped.body).children()
    version, identifier, digest, attributes, algorithm, _ = der.read(signers.body).children()
    changed = change([part.raw for part in attributes.children()])
    assert isinstance(of.key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    _, signature = sandbox._sign(of.key, der.set_of(changed))
    signer_info = der.sequence(
        *(version.raw, identifier.raw, digest.raw, der.set_of(changed, tag=der.TAGGED_0)),
        *(algorithm.raw, der.octets(signature)),
    )
    data = der.sequence(*(part.raw for part in parts), der.set_of([signer_info]))
    return der.sequence(status.raw, der.sequence(kind.raw, der.value(der.TAGGED_0, data)))
