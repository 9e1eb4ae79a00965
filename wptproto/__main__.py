"""``python -m wptproto`` is the command ``wptproto``."""

import sys

from wptproto.cli import main

if __name__ == "__main__":
    sys.exit(main())
