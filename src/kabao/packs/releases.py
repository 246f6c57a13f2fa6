"""Which `verify.py` may lie in a pack: the one of this release and those of earlier ones.

Whoever runs the verifier out of a pack trusts that pack with their machine, so kabao tells whether it is one of these.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from kabao.packs import verify

EARLIER: Final[frozenset[str]] = frozenset()
"""SHA-256 (hex) of `verify.py` in the releases before this one; a release that changes it adds the old one here."""


@cache
def known_verifiers() -> frozenset[str]:
    """Give the SHA-256 (hex) of every `verify.py` that was released, and of the one at hand."""
    return EARLIER | {hashlib.sha256(Path(verify.__file__).read_bytes()).hexdigest()}
