"""The table's config, for either server."""

from __future__ import annotations

from typing import Any

__all__ = ["SETTINGS"]

SETTINGS: dict[str, Any] = {
    "browser_host": "web-platform.test",
    "alternate_hosts": {"alt": "not-web-platform.test"},
    "subdomains": {"www", "www1", "天気の良い日"},
    "not_subdomains": {"nonexistent"},
    "server_host": "127.0.0.1",
}
