"""What a certificate is for when nobody says, and in which names others are asked for."""

from __future__ import annotations

__all__ = ["CATALOGUE_DOMAIN", "DEFAULT_NAMES"]

CATALOGUE_DOMAIN = ".localhost"
"""What follows the name of a certificate of the catalogue where a client asks for it."""

# OpenSSL and the browsers take no wildcard right below a top-level domain. `*.localhost` serves the clients
# that do, and the subdomains that tests of several origins use stand beside it one by one.
DEFAULT_NAMES: tuple[str, ...] = (
    "localhost",
    "www.localhost",
    "www1.localhost",
    "www2.localhost",
    "xn--lve-6lad.localhost",  # élève
    "xn--n8j6ds53lwwkrqhv28a.localhost",  # 天気の良い日
    "*.localhost",
    "127.0.0.1",
    "::1",
)
