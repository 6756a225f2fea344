"""The command line, from its parser."""

from __future__ import annotations

import argparse
from typing import Any

from envstore_reference.markdown import MarkdownDirective, entry, plain
from envstore_reference.sources import command_line_parser

WIDTH = 76


class CommandsDirective(MarkdownDirective):
    """Every command with its usage, its arguments and its options."""

    def markdown(self) -> str:
        """Return one section for each command, in the parser's order."""
        parser = command_line_parser()
        return "\n".join(_command(name, command) for name, command in commands_of(parser).items())


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of the commands by name."""
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return dict(commands.choices)


def _command(name: str, parser: argparse.ArgumentParser) -> str:
    formatter = argparse.HelpFormatter(parser.prog, width=WIDTH)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups, prefix="")
    first, _, rest = (parser.description or "").strip().partition("\n")
    lines = [
        f"## {name}",
        "",
        f"{plain(first)}.",
        "",
        plain(rest),
        "",
        "```text",
        formatter.format_help().strip(),
        "```",
        "",
    ]
    lines += [f"```{{program}} {parser.prog}", "```", ""]
    lines += [_argument(action, formatter) for action in parser._actions if "--help" not in action.option_strings]
    return "\n".join(lines)


def _argument(action: argparse.Action, formatter: argparse.HelpFormatter) -> str:
    shown: Any = formatter._expand_help(action) if action.help else ""
    if not action.option_strings:
        metavar = action.metavar if isinstance(action.metavar, str) else action.dest
        return entry("option", metavar, {}, plain(shown))
    value = "" if action.nargs == 0 else f" {formatter._format_args(action, action.dest.upper())}"
    return entry("option", ", ".join(f"{name}{value}" for name in action.option_strings), {}, plain(shown))
