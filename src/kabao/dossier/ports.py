"""What the dossier needs from elsewhere, bound in wiring: the log, the timestamps, and the post."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from kabao.evidence.model import FileBody, SealedFile
from kabao.kernel import Refused
from kabao.notices.model import Attachment
from kabao.postgres import Connection
from kabao.timestamps.model import Stamp
from kabao.tlog import Checkpoint


class Log(Protocol):
    """The public log; `kabao.tlog.TransparencyLog` is the adapter."""

    origin: str
    verifier_key: str
    public_key_pem: bytes

    async def sequence(self) -> int:
        """Log one batch; returns how many records."""

    async def head(self) -> Checkpoint:
        """Return the newest signed checkpoint."""

    async def proof(self, position: int, size: int, *, withheld: bool = False) -> bytes:
        """Return the proof of a record under the checkpoint of a size."""

    async def erase(self, conn: Connection, shop_id: int, record_id: int) -> None:
        """Destroy a record's body and salt."""

    async def cosignatures(self, size: int) -> bytes:
        """Return the witnesses' lines under a checkpoint."""


class Stamps(Protocol):
    """Timestamps of checkpoints; `kabao.timestamps.TimestampService` is the adapter."""

    async def want(self, data: bytes, subject: str) -> None:
        """Want a stamp of every authority over data."""

    async def run(self, limit: int = 20) -> int:
        """Ask for what is due."""

    async def of(self, digest: bytes) -> list[Stamp]:
        """Answer every stamp of data by its SHA-256."""


class Post(Protocol):
    """Letters with a proof in them; `kabao.notices.Mailer` is the adapter."""

    async def queue(
        self,
        conn: Connection,
        account_id: int,
        kind: str,
        subject: str,
        text: str,
        attachments: Sequence[Attachment] = (),
    ) -> bool:
        """Queue a letter in the caller's transaction; False where the account gets none."""


class Files(Protocol):
    """The bytes of items, for callers who have checked who may have them.

    `kabao.evidence.EvidenceService` is the adapter.
    """

    def read(self, sealed: SealedFile, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read an original piece by piece."""

    async def preview(self, shop_id: int, order_id: int, item_id: int) -> FileBody | Refused:
        """Return what everybody sees of an item; refuses where there is nothing to see."""
