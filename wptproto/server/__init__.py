"""The only floor with sockets, TLS and a clock."""
