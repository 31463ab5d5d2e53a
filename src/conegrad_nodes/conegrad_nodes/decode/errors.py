"""The error of messages that cannot be used."""


class DecodeError(ValueError):
    """A message cannot be used; names the field, its value and what was expected."""
