"""The version, by itself so that every floor may say it."""

__version__ = "0.1.0"
