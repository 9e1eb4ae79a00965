"""RFC 9112 and RFC 9113: bytes in, events out; calls in, bytes out."""
