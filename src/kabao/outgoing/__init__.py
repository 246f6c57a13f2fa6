"""One request to a server outside and its answer: bounded in time and size, to the address named, through no proxy.

Whom to ask, and what an answer means, is for whoever asks; this knows HTTP alone. It uses the standard library.
"""

from kabao.outgoing.post import Answer, Connect, NoAnswer, post
from kabao.outgoing.public import connect_public, is_public, public_tls
from kabao.outgoing.signing import signature

__all__ = ["Answer", "Connect", "NoAnswer", "connect_public", "is_public", "post", "public_tls", "signature"]
