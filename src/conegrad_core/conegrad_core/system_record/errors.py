"""Errors of system records."""


class RecordError(ValueError):
    """A record cannot be written, read or found; the text names the file and what was expected."""
