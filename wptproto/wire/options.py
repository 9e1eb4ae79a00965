"""Options: what an HTTP/2 connection that is driven by hand does by itself."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypedDict

from wptproto.errors import ConfigError
from wptproto.wire.speaking import Settings

__all__ = ["H2Keywords", "H2Options", "WindowPolicy"]

WindowPolicy = Literal["open", "withheld"] | int
"""
What is given back of windows that content takes: all of it (``open``), nothing (``withheld``), or so many
octets at a time, each time that a stream has used up its window.
"""


class H2Keywords(TypedDict, total=False):
    """:class:`H2Options` as arguments of ``accept``."""

    settings: Settings | None
    acknowledge_settings: bool
    answer_pings: bool
    windows: WindowPolicy
    preface: bool


class H2Options(NamedTuple):
    """
    What the connection does by itself.

    Attributes:
        settings: What it announces at first, which may be nothing; None withholds the SETTINGS frame, too.
        acknowledge_settings: The client's SETTINGS are acknowledged as they come.
        answer_pings: The client's PING frames are answered as they come.
        windows: What is given back of them.
        preface: The client's connection preface is awaited before anything else.
    """

    settings: Settings | None = ()
    acknowledge_settings: bool = True
    answer_pings: bool = True
    windows: WindowPolicy = "open"
    preface: bool = True

    def checked(self) -> H2Options:
        """
        Return them, if they make sense.

        Raises:
            ConfigError: They do not.
        """
        return self._replace(windows=checked_windows(self.windows))


def checked_windows(policy: WindowPolicy) -> WindowPolicy:
    """
    Return a policy, if it is one.

    Raises:
        ConfigError: It is none.
    """
    is_number = isinstance(policy, int) and not isinstance(policy, bool) and policy > 0
    if not is_number and policy not in ("open", "withheld"):
        raise ConfigError(f"windows: {policy!r} is neither open, nor withheld, nor octets to give at a time")
    return policy
