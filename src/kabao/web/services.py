"""The services that pages ask, as wiring puts them on the application. No page builds one."""

from typing import Protocol

import msgspec

from kabao.adjudication.service import RulebookService
from kabao.cases import CaseService, DecisionService
from kabao.custody import SandboxInstitution
from kabao.deposits import DepositService
from kabao.dossier import ChecklistService, ExportService, ReceiptService, RulingService
from kabao.evidence import EvidenceService
from kabao.figures import FigureService, ForecastService, PrecedentService, ProposalService
from kabao.helpcases import HelpCases, HelpFiles
from kabao.identity import EmailService, IdentityService, Role
from kabao.inventory import InventoryService
from kabao.kernel import Clock, IdSource
from kabao.ledger import LedgerService
from kabao.notices import Mailer, NoticeService, Texter
from kabao.orders import OrderService
from kabao.shops import ShopService
from kabao.terms.apart import Readers
from kabao.timestamps import TimestampService
from kabao.tlog import TransparencyLog
from kabao.web.packkeys import PackKeys
from kabao.webhooks import WebhookService


class Origin(Protocol):
    """How the world reaches this site."""

    @property
    def is_https(self) -> bool:
        """Whether browsers come by https only."""

    @property
    def origin(self) -> str:
        """Scheme, host and port as browsers see them."""


class Archive(Protocol):
    """What is made from the evidence of orders."""

    @property
    def receipts(self) -> ReceiptService:
        """Proofs of records, for those an order concerns."""

    @property
    def checklists(self) -> ChecklistService:
        """What proves what in a case."""

    @property
    def packs(self) -> ExportService:
        """Everything of an order in one file."""

    @property
    def rulings(self) -> RulingService:
        """Rulings as pages and documents."""


class Foundations(Protocol):
    """What evidence rests on."""

    @property
    def log(self) -> TransparencyLog:
        """The public log."""

    @property
    def stamps(self) -> TimestampService:
        """Timestamps of its checkpoints."""


class DemoRole(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of the demo market and what waited for them at first; `password` and `code` are staff's, and secret."""

    number: int
    role: Role
    name: str
    hint: str
    password: str
    code: str

    def __repr__(self) -> str:
        """Leave out the secrets: a repr ends up in logs."""
        return f"DemoRole(number={self.number}, role={self.role!r})"


class DemoPayment(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was paid in the demo, with the page of the simulated institution where it was."""

    buyer: str
    ref: str
    title: str
    path: str


class DemoDoor(Protocol):
    """The start page of a demo market; no other market has one."""

    def opens(self, key: str) -> bool:
        """Tell whether an address carries the page's key."""

    async def roles(self) -> list[DemoRole]:
        """List who may be walked as."""

    async def link(self, number: int) -> str | None:
        """Make a sign-in link for one of them."""

    async def payments(self) -> list[DemoPayment]:
        """List what was paid."""


class Services(Protocol):
    """Every part that pages use, by name."""

    clock: Clock
    ids: IdSource
    identity: IdentityService
    emails: EmailService
    shops: ShopService
    inventory: InventoryService
    orders: OrderService
    cases: CaseService
    decisions: DecisionService
    forecasts: ForecastService
    figures: FigureService
    precedents: PrecedentService
    proposals: ProposalService
    rulebook: RulebookService
    evidence: EvidenceService
    archive: Archive
    foundations: Foundations
    notices: NoticeService
    mailer: Mailer
    texter: Texter
    custody: SandboxInstitution
    ledger: LedgerService
    pack_keys: PackKeys
    form_key: bytes
    readers: Readers
    deposits: DepositService
    webhooks: WebhookService
    help_files: HelpFiles

    @property
    def help_cases(self) -> HelpCases:
        """Purchases made elsewhere that people saved."""

    @property
    def demo(self) -> DemoDoor | None:
        """The demo's start page; None everywhere else."""

    @property
    def settings(self) -> Origin:
        """How this kabao was told to run."""
