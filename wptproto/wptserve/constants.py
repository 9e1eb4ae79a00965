"""wptserve.constants: status codes, content types and pseudo-header fields."""

from __future__ import annotations

from http import HTTPStatus

from wptproto.handlers.content_types import CONTENT_TYPES

__all__ = ["content_types", "h2_headers", "response_codes"]

content_types = CONTENT_TYPES
"""Content types by extension, without its dot."""

response_codes = {status.value: (status.phrase, status.description) for status in HTTPStatus}
"""Reason phrase and explanation by status code."""

h2_headers = ["method", "scheme", "host", "path", "authority", "status"]
"""The pseudo-header fields of HTTP/2, without their colon, and ``host``."""
