"""A seeded market with its auditor: it finds nothing in the services as they are, and finds what somebody breaks."""

from pathlib import Path

import msgspec
import pytest

from kabao.cli.simulate import say_report
from kabao.postgres import Database
from kabao.simulation import Report, play, simulate
from program import kabao

SEED, DAYS = 12, 3
CONTRACT = {
    "closed",
    "open",
    "ruled",
    "settled",
    "deadlines_met",
    "deadlines_missed",
    "lost_minor",
    "mismatches",
}
CLOCK_LIES = """
CREATE FUNCTION lie() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.stage = 'support' AND OLD.stage = 'negotiation' THEN NEW.due_at := NEW.due_at + interval '1 hour'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lie BEFORE UPDATE ON cases FOR EACH ROW EXECUTE FUNCTION lie();
"""
CUSTODIAN_SHORT = """
CREATE FUNCTION pocket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.kind = 'refund' THEN NEW.amount_minor := NEW.amount_minor - 7; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER pocket BEFORE INSERT ON sandbox.booking FOR EACH ROW EXECUTE FUNCTION pocket();
"""


async def test_a_market_of_some_days_ends_closed_and_balanced_and_the_same_seed_ends_the_same(
    database: Database, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    here = await play(database, tmp_path, seed=SEED, days=DAYS, progress=lambda done, of: seen.append((done, of)))
    assert here.is_fine, here.findings
    assert (here.seed, here.days, here.open, here.closed) == (SEED, DAYS, 0, here.cases)
    assert here.cases == here.settled + here.withdrawn + here.executed + here.charged_back
    assert min(here.ruled, here.settled, here.withdrawn, here.default_rulings, here.reviews, here.deadlines_missed) > 0
    assert min(here.chargebacks, here.routed_out) > 0
    assert seen[-1] == (DAYS, DAYS)
    # Another process, another database, another hour.
    there = kabao("simulate", "--seed", str(SEED), "--days", str(DAYS), "--json")
    assert there.returncode == 0, there.stderr
    told = msgspec.json.decode(there.stdout)
    assert told.keys() >= CONTRACT
    assert told == msgspec.json.decode(msgspec.json.encode(here))


async def test_a_deadline_that_is_not_as_stated_and_money_that_is_short_are_found(
    database: Database, owner_database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await owner_database.execute(CLOCK_LIES)
    await owner_database.execute(CUSTODIAN_SHORT)
    report = await play(database, tmp_path, seed=SEED, days=1, orders_a_day=40)
    assert not report.is_fine
    assert report.lost_minor > 0
    assert report.mismatches >= len(report.findings) > 0
    assert [one for one in report.findings if "stage='support'" in one.expected and "stage='support'" in one.found]
    capsys.readouterr()
    say_report(report)
    first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith("NOT OK: ")
    assert len(others) == len(report.findings)
    assert {"money that is nowhere", "the ledger's own audit"} <= {one.about for one in report.findings}


@pytest.mark.soak
async def test_a_year_ends_with_every_case_closed_and_every_book_balanced() -> None:
    report: Report = await simulate(seed=1, days=365)
    assert report.is_fine, report.findings
    assert report.closed > 2_000
