"""wptserve.logger: where it logs."""

from __future__ import annotations

import logging

__all__ = ["get_logger"]


def get_logger() -> logging.Logger:
    """Return the root logger, to which also goes what this package logs as ``wptproto.*``."""
    return logging.getLogger()
