"""The answers: a few octets, the same after a sleep, a long one, and the length of what came."""

TEXT = b"Hello, world!"
SLEEP_S = 0.05
LONG = bytes(1024 * 1024)
