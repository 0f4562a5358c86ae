"""Logging: one line of JSON (or colours on a terminal) an outcome, never contents or keys."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(*, level: str = "info", terminal: bool | None = None) -> None:
    """Send structlog to standard error. Called once, by the process that starts."""
    pretty = sys.stderr.isatty() if terminal is None else terminal
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer()
            if pretty
            else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, force=True)
