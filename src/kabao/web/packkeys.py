"""The keys of this site, as its page for checking packs shows and knows them."""

from collections.abc import Iterable

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes


class PackKeys(msgspec.Struct, frozen=True, kw_only=True):
    """What this site signs packs and its log with, whose cosignatures it collects and whom it asks for timestamps.

    The first three are verifier keys as c2sp.org/signed-note writes them, the newest first; `roots` are the SHA-256
    fingerprints of the authorities' root certificates, in hex.
    """

    signers: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()


def root_fingerprints(pems: Iterable[bytes]) -> tuple[str, ...]:
    """Return the fingerprints of every certificate in PEM texts; raises ValueError for one that cannot be read."""
    found = (one for pem in pems for one in x509.load_pem_x509_certificates(pem))
    return tuple(dict.fromkeys(one.fingerprint(hashes.SHA256()).hex() for one in found))
