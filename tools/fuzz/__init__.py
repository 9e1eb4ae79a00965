"""The parsers of this package as functions of any octets, and a command that looks for those they mind."""
