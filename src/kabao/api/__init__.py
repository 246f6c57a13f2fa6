"""The JSON API under `/api/v1`: the same steps as the pages, for scripts.

Invariants: amounts are whole minor units; objects are named by their references; unknown fields are refused; every
POST that moves money needs an `Idempotency-Key` and answers a repeat with the same bytes; an object that is not the
caller's does not exist for the caller (404); every error is a problem document with a stable code.
"""

from kabao.api.problems import Problem, RefusedError, problem_response
from kabao.api.replies import forget_old_replies
from kabao.api.routes import routes

__all__ = ["Problem", "RefusedError", "forget_old_replies", "problem_response", "routes"]
