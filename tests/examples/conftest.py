"""Which of the examples can run here."""

from __future__ import annotations

from tests.helpers.programs import is_missing

collect_ignore = ["test_goaway.py"] if is_missing("curl") else []
