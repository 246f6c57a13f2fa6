"""How a request reaches an authority; bound in `wiring` to the network, or to the simulated authorities."""

from typing import Protocol


class Unreachable(Exception):  # noqa: N818  named for what happened
    """The authority gave no usable answer over the network; the words are for the operator and hold no address."""


class Post(Protocol):
    """Takes a TimeStampReq to an address and brings back what was answered."""

    async def __call__(self, url: str, body: bytes) -> bytes:
        """Return the body of the answer, at most 64 KB. Raises Unreachable."""
