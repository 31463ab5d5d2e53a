"""Parser of options: short usage, errors that say what was probably meant, renamed options."""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

EXIT_USAGE = 2


class OptionParser(argparse.ArgumentParser):
    """Reports an unknown option ahead of a missing one, with the nearest name; errors are short."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**settings)
        self._actions[0].help = "Show this help and exit"

    def add_argument(self, *names: Any, **settings: Any) -> argparse.Action:
        """As of argparse; every help text begins with a capital letter."""
        action = super().add_argument(*names, **settings)
        if action.help and action.help != argparse.SUPPRESS:
            action.help = action.help[:1].upper() + action.help[1:]
        return action

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> argparse.Namespace:
        """As of argparse; exits with 2 and one or two lines on stderr if the usage is wrong."""
        words = sys.argv[1:] if args is None else list(args)
        self._check_options(words)
        options: argparse.Namespace = super().parse_args(words, namespace)
        return options

    def format_help(self) -> str:
        """As of argparse, with the short usage."""
        self.usage = self.usage or self._short_usage()
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """The error first, then the usage in one line and where the options are listed."""
        usage = self.usage or self._short_usage()
        self.exit(
            EXIT_USAGE, f"{self.prog}: {message}\nusage: {usage}; see '{self.prog} --help'.\n"
        )

    def _short_usage(self) -> str:
        """The usage without the options that may be left out."""
        parts = [self.prog]
        for action in self._actions:
            if action.option_strings and action.required:
                parts.append(f"{action.option_strings[0]} {action.metavar or action.dest.upper()}")
        formatter = self._get_formatter()
        places = [action for action in self._actions if not action.option_strings]
        named = formatter._format_args
        parts += [named(action, str(action.metavar or _place(action))) for action in places]
        return " ".join([*parts, "[OPTION ...]"]).replace("%", "%%")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a word that is not one of those allowed, with the nearest one."""
        if action.choices is not None and value not in action.choices:
            from conegrad_core.settings.names import choice_fault

            raise argparse.ArgumentError(action, choice_fault(value, list(action.choices)))

    def _check_options(self, words: Sequence[str]) -> None:
        known = [name for name in self._option_string_actions if name.startswith("--")]
        hands_on = any(action.nargs == argparse.REMAINDER for action in self._actions)
        for word in words:
            if word == "--" or (hands_on and not word.startswith("-")):
                return  # what follows is not for this parser
            name = word.partition("=")[0]
            if name.startswith("--") and not any(option.startswith(name) for option in known):
                shown = [
                    option
                    for option, action in self._option_string_actions.items()
                    if option in known and action.help != argparse.SUPPRESS
                ]
                self.error(f"option {name} {unknown_name(name, shown, 'listed by --help')}")


def _place(action: argparse.Action) -> str:
    """A positional argument in the usage."""
    return "|".join(map(str, action.choices)) if action.choices else action.dest.upper()


class _Renamed(argparse.Action):
    """An option that has another name today: it is handed on, with one line of notice."""

    def __init__(
        self,
        option_strings: Sequence[str],
        dest: str,
        today: argparse.Action,
        read: Callable[[Any], Any],
        **rest: Any,
    ) -> None:
        super().__init__(
            option_strings, dest, default=argparse.SUPPRESS, help=argparse.SUPPRESS, **rest
        )
        self._today, self._read = today, read

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Do what the option of today does."""
        from conegrad_core.settings.names import warn_renamed

        warn_renamed(self.option_strings[0], self._today.option_strings[-1])
        self._today.required = False
        self._today(parser, namespace, self._read(values), option_string)


def add_renamed(
    parser: argparse.ArgumentParser,
    former: str,
    today: str,
    read: Callable[[Any], Any] = lambda values: values,
    **rest: Any,
) -> None:
    """Take an option under its former name, too; it is not listed.

    Args:
        parser: that has the option of today.
        former: name of the option before.
        today: name of the option.
        read: makes the value of the option of today from that of the former one.
        rest: further arguments of the former option, such as ``type``.
    """
    action = parser._option_string_actions[today]
    parser.add_argument(former, action=_Renamed, today=action, read=read, **rest)


def unknown_name(name: str, known: Iterable[str], listed: str = "") -> str:
    """What is wrong with a name that does not exist; imports nothing heavy before it is needed."""
    from conegrad_core.settings.names import unknown_fault

    return unknown_fault(name, known, f", expected one {listed}" if listed else "")
