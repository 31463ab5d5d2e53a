"""Names of settings: their earlier names, and what is said about a name that does not exist."""

import dataclasses
import difflib
import logging
import reprlib
from collections.abc import Iterable
from typing import Any

logger = logging.getLogger(__name__)

LAST_VERSION = "0.3"  # the first one without the earlier names of this version
LONGEST_NAME = 80  # characters of a name that are repeated in a message


def fields_by_name(config_class: type[Any]) -> dict[str, str]:
    """Field of each name that a settings dataclass takes: its own, then the earlier ones."""
    fields = dataclasses.fields(config_class)
    own = {field.name: field.name for field in fields}
    return own | {old: field.name for field in fields for old in aliases_of(field)}


def aliases_of(field: "dataclasses.Field[Any]") -> tuple[str, ...]:
    """Earlier names of a field."""
    aliases: tuple[str, ...] = field.metadata.get("aliases", ())
    return aliases


def warn_renamed(old: str, new: str) -> None:
    """Log that an earlier name was used; both as they are written by who gave it."""
    logger.warning("%s", renamed_text(old, new))


def renamed_text(old: str, new: str) -> str:
    """The warning for an earlier name."""
    return f"{old} is now {new} (until {LAST_VERSION})"


def unknown_fault(name: object, known: Iterable[str], listed: str = "", prefix: str = "") -> str:
    """What is wrong with a name that does not exist, as words that follow it.

    Args:
        name: that was given.
        known: those that exist.
        listed: where all of them are listed; empty: the message lists them.
        prefix: put before the name that is suggested.
    """
    known = list(known)
    if not known:
        return "is unknown: there are no settings here"
    near = difflib.get_close_matches(str(name)[:LONGEST_NAME], known, n=1)
    if near:
        return f"is unknown, did you mean {prefix}{near[0]}?"
    return f"is unknown{listed or ', expected one of ' + ', '.join(known)}"


def choice_fault(value: object, known: Iterable[str]) -> str:
    """What is wrong with a word that is not one of those allowed, as words that follow a name."""
    words = list(known)
    named = ", ".join(filter(None, words))
    return f"is {shown_value(value)}, expected one of {named}{nearest(value, words)}"


def nearest(value: object, known: Iterable[str]) -> str:
    """``; did you mean X?`` where a word is near to one that is known, else nothing."""
    near = difflib.get_close_matches(str(value)[:LONGEST_NAME], [w for w in known if w], n=1)
    return f"; did you mean {near[0]}?" if near else ""


def shown_value(value: object) -> str:
    """A value as it is repeated in a message, cut where it is long."""
    return repr(value) if len(repr(value)) <= LONGEST_NAME else reprlib.repr(value)


def shown_name(name: object) -> str:
    """A name as it is repeated in a message: whole, unless it is long or not a text."""
    is_short = isinstance(name, str) and len(name) <= LONGEST_NAME and name.isprintable()
    return str(name) if is_short else reprlib.repr(name)


def option_of(name: str) -> str:
    """The option of a command line that gives a setting."""
    return "--" + name.replace("_", "-")
