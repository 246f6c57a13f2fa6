"""The services that pages ask, as wiring puts them on the application. No page builds one."""

from typing import Protocol

from kabao.adjudication.service import RulebookService
from kabao.cases import CaseService, DecisionService
from kabao.custody import SandboxInstitution
from kabao.deposits import DepositService
from kabao.evidence import EvidenceService
from kabao.figures import FigureService, ForecastService, PrecedentService, ProposalService
from kabao.identity import IdentityService
from kabao.inventory import InventoryService
from kabao.kernel import Clock, IdSource
from kabao.ledger import LedgerService
from kabao.notices import NoticeService
from kabao.orders import OrderService
from kabao.shops import ShopService


class Origin(Protocol):
    """How the world reaches this site."""

    @property
    def is_https(self) -> bool:
        """Whether browsers come by https only."""

    @property
    def origin(self) -> str:
        """Scheme, host and port as browsers see them."""


class Services(Protocol):
    """Every part that pages use, by name."""

    clock: Clock
    ids: IdSource
    identity: IdentityService
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
    notices: NoticeService
    custody: SandboxInstitution
    ledger: LedgerService
    deposits: DepositService

    @property
    def settings(self) -> Origin:
        """How this kabao was told to run."""
