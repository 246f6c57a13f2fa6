"""The verifier of the page, run in a real Chromium on packs made here; no server is needed for it."""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route

from kabao.packs import verify
from kabao.web.render import STATIC
from town import chromium, playwright

__all__ = ["chromium", "playwright"]

HOST = "http://localhost"
"""A secure context, which signatures need; every request to it is answered from the folder of static files."""

SCRIPT = """async ({ packs, flips, pins }) => {
  const { check } = await import('/static/verify/check.js');
  const bytes = (letters) => Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
  const reports = [];
  for (const pack of packs) reports.push(await check(new Blob([bytes(pack)]), pins));
  const whole = flips.length ? bytes(packs[0]) : null;
  for (const [at, bit] of flips) {
    whole[at] ^= 1 << bit;
    reports.push(await check(new Blob([whole.slice()]), pins));
    whole[at] ^= 1 << bit;
  }
  return JSON.stringify(reports);
}"""


@dataclass(frozen=True)
class Verdict:
    """What two verifiers must agree on: the exit status, each check's state, what is blamed, and what is absent."""

    status: int
    checks: tuple[tuple[str, str, tuple[tuple[Any, ...], ...]], ...]
    absent: tuple[str, ...]

    @property
    def failed(self) -> list[str]:
        return [check for check, state, _ in self.checks if state == "failed"]


def verdict(report: dict[str, Any]) -> Verdict:
    blamed = [
        tuple((fault["code"], fault["entry"], fault["item"], fault["record"]) for fault in one["faults"])
        for one in report["checks"]
    ]
    checks = [(one["id"], one["state"], faults) for one, faults in zip(report["checks"], blamed, strict=True)]
    return Verdict(report["exit"], tuple(checks), tuple(one["part"] for one in report["absent"]))


def unlike(found: Verdict, told: Verdict) -> str:
    """Say where two verdicts part, in few words; nothing where they agree."""
    for mine, theirs in zip(found.checks, told.checks, strict=False):
        if mine != theirs:
            return f"{mine} is not {theirs}"[:2000]
    return "" if found == told else f"{found.status} {found.absent} is not {told.status} {told.absent}"


def verdict_of(path: Path, content: bytes, pins: verify.Pins = verify.NO_PINS) -> Verdict:
    """What `verify.py` says of a pack."""
    path.write_bytes(content)
    return verdict(verify.check(path, pins).as_json())


@dataclass
class Laboratory:
    """A page without content in which the modules can be called."""

    page: Page

    def run(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)

    def reports(
        self,
        packs: Sequence[bytes],
        *,
        flips: Sequence[tuple[int, int]] = (),
        pins: dict[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Check packs, and the first of them once more for each flip of a bit."""
        given = {
            "packs": [base64.b64encode(pack).decode() for pack in packs],
            "flips": [list(flip) for flip in flips],
            "pins": pins or {},
        }
        found: list[dict[str, Any]] = json.loads(self.run(SCRIPT, given))
        return found

    def verdicts(self, packs: Sequence[bytes], **more: Any) -> list[Verdict]:
        return [verdict(report) for report in self.reports(packs, **more)]


def serve(route: Route) -> None:
    path = urlsplit(route.request.url).path
    if path == "/":
        route.fulfill(body="<!doctype html><title>-</title>", content_type="text/html")
    else:
        route.fulfill(body=(STATIC / path.removeprefix("/static/")).read_bytes(), content_type="text/javascript")


@pytest.fixture(scope="module")
def laboratory(chromium: Browser) -> Iterator[Laboratory]:
    context = chromium.new_context()
    context.route(f"{HOST}/**", serve)
    page = context.new_page()
    page.goto(HOST)
    yield Laboratory(page)
    context.close()
