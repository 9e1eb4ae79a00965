"""RFC 9110: what a message means, whoever carried it."""
