"""Words such as ``detector.threads=2`` of a command line: names with values in YAML."""

from collections.abc import Sequence
from typing import Any

from conegrad_core.settings.yaml_file import read_yaml


def read_assignments(words: Sequence[str], option: str) -> dict[str, Any]:
    """Values by name of ``name=value`` words; values are read as YAML.

    Of two words with one name the later one counts.

    Args:
        words: to read.
        option: of the command line that they were given to, for messages.

    Raises:
        ValueError: if a word has another form, or its value is not YAML.
    """
    values: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise ValueError(f"{option} {word!r}: expected name=value")
        try:
            values[name] = read_yaml(value)
        except ValueError as error:
            raise ValueError(f"{option} {word}: {error}") from error
    return values
