"""
Measure wptproto beside other servers, and beside the bare libraries, in rounds that alternate.

    python3 tools/bench                     every row, in some fifteen minutes
    python3 tools/bench --quick             every row, in a minute or two: figures to look at, not to quote
    python3 tools/bench --rows h2,idle-h2   some rows
    python3 tools/bench --servers nginx     with some others only
    python3 tools/bench --json NEW.json --compare OLD.json
    python3 tools/bench --rows h2 --profile where the time of a row goes, as py-spy sees it

It makes an environment of its own, .venv-bench, with the Python servers. nginx, nghttpd, h2load and wrk have
to be there, or are installed by apt-get where this runs as root.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tools.environment import ROOT, set_up

if __name__ == "__main__":
    if {"-h", "--help"} & set(sys.argv):
        sys.exit(__doc__.strip())
    python = str(set_up(".venv-bench", "bench") / "python")
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execv(python, [python, "-m", "tools.bench.main", *sys.argv[1:]])  # noqa: S606 -- ourselves, in the environment just made
