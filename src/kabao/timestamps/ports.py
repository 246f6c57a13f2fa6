"""What timestamps need from elsewhere, bound in `wiring`: a way to the authorities, and a second opinion."""

from typing import Protocol


class Unreachable(Exception):  # noqa: N818  named for what happened
    """The authority gave no usable answer over the network; the words are for the operator and hold no address."""


class Post(Protocol):
    """Takes a TimeStampReq to an address and brings back what was answered."""

    async def __call__(self, url: str, body: bytes) -> bytes:
        """Return the body of the answer, at most 64 KB. Raises Unreachable."""


class Opinion(Protocol):
    """Judges a stamp as whoever reads it later will: nothing is kept that a pack's own verifier would refuse."""

    def __call__(self, response: bytes, body: bytes, roots_pem: bytes) -> str:
        """Return why the response is no stamp over the SHA-256 of `body` by those roots, in a few words, or nothing."""
