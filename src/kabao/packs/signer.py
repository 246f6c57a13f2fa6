"""The key that signs manifests, written as signed notes write keys (c2sp.org/signed-note)."""

import base64
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kabao.packs import verify

KIND: Final = bytes([verify.NOTE_KEY])


class PackSigner:
    """Signs manifests with an Ed25519 key made from a seed of 32 bytes; the same text always gives the same note.

    `name` says whose key it is, such as `kabao.example/pack`: no spaces, no plus signs. Raises ValueError.
    """

    def __init__(self, *, name: str, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._private.public_key().public_bytes_raw()
        self._name = name
        self._number = sha256(f"{name}\n".encode() + KIND + public).digest()[:4]
        self.verifier_key = f"{name}+{self._number.hex()}+{base64.b64encode(KIND + public).decode()}"
        """The key as others check by it."""
        try:
            verify.read_verifier_key(self.verifier_key)
        except verify.WrongError as wrong:
            raise ValueError("the signer's name has a space or a plus sign, or is empty or too long") from wrong
        self.pem = verify.ed25519_pem(public)
        """The key as OpenSSL reads it."""

    def note(self, text: str) -> bytes:
        """Return the signed note over a text that ends in a newline."""
        signature = base64.b64encode(self._number + self._private.sign(text.encode())).decode()
        return f"{text}\n— {self._name} {signature}\n".encode()


def pem_of(verifier_key: str) -> bytes:
    """Write a signer's key as OpenSSL reads it; raises verify.WrongError for what is no key of a signer."""
    return verify.ed25519_pem(verify.read_verifier_key(verifier_key).key)
