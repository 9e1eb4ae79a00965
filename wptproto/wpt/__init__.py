"""
A checkout of the Web Platform Tests, served as they expect it::

    from wptproto import wpt

    with wpt.server("path/to/wpt") as server:
        ...  # https://web-platform.test:8443/, for who finds that host here
"""

from __future__ import annotations

from wptproto.wpt.checkout import checkout_config, server

__all__ = ["checkout_config", "server"]
