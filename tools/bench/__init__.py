"""What ``tools/bench`` does: servers, loads, rows, rounds, and the table."""
