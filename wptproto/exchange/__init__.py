"""One request and its response, as a handler sees them."""
