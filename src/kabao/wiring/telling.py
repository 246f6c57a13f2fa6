"""The jobs that tell people what nobody tells them at the moment: digests and reminders."""

from typing import NamedTuple

from kabao.cases import CaseService
from kabao.kernel import Clock
from kabao.notices import Mailer, NoticeService
from kabao.orders import MerchantDigest
from kabao.postgres import Database
from kabao.reminders import Reminders, StaffDigest
from kabao.wiring.settings import Settings


class Telling(NamedTuple):
    """What tells people of something that nobody has just done."""

    merchant_digest: MerchantDigest
    reminders: Reminders
    staff_digest: StaffDigest


def build_telling(
    settings: Settings,
    database: Database,
    clock: Clock,
    *,
    cases: CaseService,
    notices: NoticeService,
    mailer: Mailer,
) -> Telling:
    """Build the jobs."""
    return Telling(
        merchant_digest=MerchantDigest(database=database, clock=clock, notices=notices),
        reminders=Reminders(database=database, clock=clock, notices=notices),
        staff_digest=StaffDigest(database=database, clock=clock, cases=cases, mail=mailer, origin=settings.origin),
    )
