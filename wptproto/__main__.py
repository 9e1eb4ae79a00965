"""
``python -m wptproto`` is the command ``wptproto``.

Until that has its own say about signals, Ctrl-C ends the process as SIGTERM does: there is nothing yet to
give back, and Python's own way is a traceback out of whatever was just imported.
"""

import signal
import sys

__all__ = ["main"]


def main() -> int:
    """Run the command, as :func:`wptproto.cli.main` does."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and not ignored, as in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from wptproto import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
