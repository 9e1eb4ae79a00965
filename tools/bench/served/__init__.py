"""What the servers serve: the same four answers, in each one's own terms."""
