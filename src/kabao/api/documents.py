"""What the OpenAPI document says about refusals, once for all handlers."""

from typing import Final

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import SecurityRequirement

from kabao.api.problems import MEDIA_TYPE, Problem

_WHY: Final = {
    400: "Malformed, or the Idempotency-Key is missing.",
    401: "No valid bearer token.",
    403: "The caller's role does not allow this step.",
    404: "Not found, or not the caller's.",
    409: "The state of things does not allow this step now; `code` says which.",
    413: "The body is too large.",
    422: "Fields are wrong (`fields` names them), or the Idempotency-Key belongs to another request.",
    429: "Too many tries.",
    503: "The database or the custodian is unreachable, or storage is full. Nothing moved; try again.",
}


def _spec(status: int) -> ResponseSpec:
    return ResponseSpec(Problem, generate_examples=False, description=_WHY[status], media_type=MEDIA_TYPE)


READING: Final = {status: _spec(status) for status in (401, 404, 429, 503)}
STEP: Final = {status: _spec(status) for status in sorted(_WHY)}
SIGNED_IN: Final[list[SecurityRequirement]] = [{"bearer": []}]
