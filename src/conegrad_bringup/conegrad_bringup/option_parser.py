"""Parser of options whose errors say what was probably meant, and where the options are listed."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

EXIT_USAGE = 2


class OptionParser(argparse.ArgumentParser):
    """Reports an unknown option ahead of a missing one, with the nearest name; errors are short."""

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> argparse.Namespace:
        """As of argparse; exits with 2 and one or two lines on stderr if the usage is wrong."""
        words = sys.argv[1:] if args is None else list(args)
        self._check_options(words)
        options: argparse.Namespace = super().parse_args(words, namespace)
        return options

    def error(self, message: str) -> NoReturn:
        """The error first, then where the options are listed."""
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\nSee '{self.prog} --help'.\n")

    def _check_options(self, words: Sequence[str]) -> None:
        known = [name for name in self._option_string_actions if name.startswith("--")]
        hands_on = any(action.nargs == argparse.REMAINDER for action in self._actions)
        for word in words:
            if word == "--" or (hands_on and not word.startswith("-")):
                return  # what follows is not for this parser
            name = word.partition("=")[0]
            if name.startswith("--") and not any(option.startswith(name) for option in known):
                self.error(f"option {name} {unknown_name(name, known, 'listed by --help')}")


def unknown_name(name: str, known: Iterable[str], listed: str = "") -> str:
    """What is wrong with a name that does not exist; imports nothing heavy before it is needed."""
    from conegrad_core.settings.names import unknown_fault

    return unknown_fault(name, known, f", expected one {listed}" if listed else "")
