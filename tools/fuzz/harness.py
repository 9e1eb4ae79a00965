"""
One target under atheris, in a process of its own, which ends at the first finding.

    python -m tools.fuzz.harness TARGET DIRECTORY SECONDS

Octets that led somewhere new are kept in DIRECTORY/corpus, and those of a finding in DIRECTORY itself.
"""

from __future__ import annotations

import hashlib
import logging
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["wptproto"]):
    from tools.fuzz.targets import TARGETS

SLOWEST_S = 10
MOST_MEBIBYTES = 1024


def main() -> None:
    """Run for ever, or so long; the library exits by itself."""
    name, directory, seconds = sys.argv[1:]
    target = TARGETS[name]
    corpus = Path(directory) / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds:
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={SLOWEST_S}",
        f"-rss_limit_mb={MOST_MEBIBYTES}",
        f"-artifact_prefix={directory}/",
        "-print_final_stats=0",
    ]
    logging.disable()  # what a server has to say of each is not looked at
    atheris.Setup([sys.argv[0], *options, str(corpus)], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
