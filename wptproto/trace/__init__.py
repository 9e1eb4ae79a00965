"""The trace: what happens on a server's connections, as one stream of events, and how it is written down."""
