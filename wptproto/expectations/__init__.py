"""What a test expects of its client, and what is answered then."""
