"""The jobs that tell people what nobody tells them at the moment: digests, reminders, webhooks."""

from typing import NamedTuple

from kabao.cases import CaseService
from kabao.inventory import Keyring
from kabao.kernel import Clock, IdSource
from kabao.notices import Mailer, NoticeService
from kabao.orders import MerchantDigest
from kabao.postgres import Database
from kabao.reminders import Reminders, StaffDigest
from kabao.webhooks import Sender, WebhookService
from kabao.wiring.settings import Settings


class Telling(NamedTuple):
    """What tells people, and shops' programs, of something that nobody has just done."""

    merchant_digest: MerchantDigest
    reminders: Reminders
    staff_digest: StaffDigest
    webhooks: WebhookService


def build_telling(
    settings: Settings,
    keyring: Keyring,
    *,
    database: Database,
    clock: Clock,
    ids: IdSource,
    cases: CaseService,
    notices: NoticeService,
    mailer: Mailer,
) -> Telling:
    """Build the jobs; what webhooks sign with comes from the server's key."""
    key = keyring.derive("webhooks")
    return Telling(
        merchant_digest=MerchantDigest(database=database, clock=clock, notices=notices),
        reminders=Reminders(database=database, clock=clock, notices=notices),
        staff_digest=StaffDigest(database=database, clock=clock, cases=cases, mail=mailer, origin=settings.origin),
        webhooks=WebhookService(database=database, clock=clock, ids=ids, notices=notices, send=Sender(), key=key),
    )
