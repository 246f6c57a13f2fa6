"""A clause at which the terms checker found something, as it is kept with an order."""

import msgspec


class Clause(msgspec.Struct, frozen=True, kw_only=True, rename={"kind": "class"}):
    """Words of a listing, why they cannot be held against the buyer, by which law, and how surely (1..100)."""

    kind: str
    id: str
    field: str
    words: str
    why: str
    law: tuple[str, ...]
    confidence: int
