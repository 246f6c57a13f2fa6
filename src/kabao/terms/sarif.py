"""Write a report as SARIF 2.1.0, which code hosts and editors show beside the lines."""

from collections.abc import Sequence
from typing import Any, Final

from kabao.terms.model import Finding, Report, Severity

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS: Final = {Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}


def sarif(report: Report, names: Sequence[str]) -> dict[str, Any]:
    """Return the log; ``names`` are the documents' addresses in their order. Waived findings are suppressed ones."""
    rules: dict[str, dict[str, Any]] = {}
    results = []
    for finding, reason in [
        *((finding, "") for finding in report.findings),
        *((waived.finding, waived.reason) for waived in report.waived),
    ]:
        rules.setdefault(finding.id, _rule(finding))
        results.append(_result(finding, names, list(rules).index(finding.id), reason))
    driver = {"name": "kabao terms", "rules": list(rules.values())}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "name": finding.kind.value.title(),
        "shortDescription": {"text": finding.title},
        "fullDescription": {"text": f"{finding.why}（{'；'.join(finding.law)}）"},
        "help": {"text": f"可以改成：{finding.rewrite}"},
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
        "properties": {"tags": [finding.kind.value]},
    }


def _result(finding: Finding, names: Sequence[str], rule: int, reason: str) -> dict[str, Any]:
    result = {
        "ruleId": finding.id,
        "ruleIndex": rule,
        "level": LEVELS[finding.severity],
        "message": {"text": f"{finding.title}。{finding.why}可以改成：{finding.rewrite}"},
        "locations": [_location(finding.line, finding.start, finding.end, finding.words, names[finding.document])],
        "partialFingerprints": {"kabaoTerms/v1": finding.fingerprint},
        "rank": round(finding.confidence * 100),
    }
    if finding.other:
        result["relatedLocations"] = [
            _location(spot.line, spot.start, spot.end, spot.words, names[spot.document]) for spot in finding.other
        ]
    if reason:
        result["suppressions"] = [{"kind": "inSource", "justification": reason}]
    return result


def _location(line: int, start: int, end: int, words: str, name: str) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": line, "charOffset": start, "charLength": end - start}
    if words:
        region["snippet"] = {"text": words}
    return {"physicalLocation": {"artifactLocation": {"uri": name}, "region": region}}
