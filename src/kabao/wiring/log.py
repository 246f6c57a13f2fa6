"""Logging: one line an event on standard error, for people on a terminal, JSON for machines. Never a secret.

What may be logged is decided where it is logged: names, codes, counts and paths without their query; never a body, a
header, a key's text, or the message of an unknown error.
"""

import logging
import sys
from typing import Any, TextIO

import structlog


def configure_logging(stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's warnings to `stream` (standard error)."""
    target = stream or sys.stderr
    renderer: Any = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if target.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=target, format="%(levelname)s %(name)s %(message)s", force=True)
