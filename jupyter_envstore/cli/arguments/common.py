"""What several commands take, and how a command is added."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from jupyter_envstore.errors import InvalidInputError

HERE_ALONE = (
    "demo",
    "base-image",
    "login",
    "logout",
    "serve",
    "backup",
    "restore-backup",
    "move-database",
    "move-blobs",
    "forget-place",
    "channel",
)
"""Commands that work on files of this machine, or on its logins."""
SEVERAL = "several"
"""Default of a command's parser: the name of its option that is a list of words."""
Add = Callable[[str, str, str], argparse.ArgumentParser]


def add_command(commands: Any, name: str, run: str, help_text: str) -> argparse.ArgumentParser:
    """Add a command; the module that does it is imported when it runs."""
    first, _, rest = help_text.partition("\n")
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=first, description=f"{first}\n{rest}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--root", metavar="DIR", help="folder of the store (default: root_dir of the configuration)")
    place.add_argument(
        "--store",
        metavar="URL",
        help=argparse.SUPPRESS
        if name in HERE_ALONE
        else "address of a store elsewhere (default: remote_url of the "
        "configuration, where it names one); log in first: jupyter envstore login URL",
    )

    def call(options: argparse.Namespace) -> int | None:
        if options.store and name in HERE_ALONE:
            msg = f"{name} works on this machine alone, not on a store elsewhere; leave --store away"
            raise InvalidInputError(msg)
        from importlib import import_module

        module, _, function = run.partition(":")
        found: Callable[[argparse.Namespace], int | None] = getattr(
            import_module(f"jupyter_envstore.cli.{module}"), function
        )
        return found(options)

    parser.set_defaults(run=call)
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")


def add_several(parser: argparse.ArgumentParser, name: str, nargs: str, metavar: str, help: str) -> None:
    """Add the list of words of a command, which count to it wherever they stand."""
    parser.add_argument(name, nargs=nargs, metavar=metavar, help=help)
    parser.set_defaults(**{SEVERAL: name})


def add_picking(parser: argparse.ArgumentParser) -> None:
    """Add what says which part of a file is meant."""
    parser.add_argument(
        "--environment",
        metavar="NAME",
        help="of a pixi.toml or pixi.lock that has several, or project of a uv.lock (default: the default one)",
    )
    parser.add_argument(
        "--category",
        action="append",
        metavar="NAME",
        help="of a lockfile (main is always taken), or group or extra of a pyproject.toml, pylock.toml or uv.lock; "
        "may be given several times",
    )


def add_environment(parser: argparse.ArgumentParser, build: bool = True) -> None:
    """Add the name of an environment, or of a ``build`` of it."""
    form = "NAMESPACE/NAME[:BUILD]" if build else "NAMESPACE/NAME"
    parser.add_argument(
        "environment", metavar=form, help="the build's number; without one, the active build" if build else ""
    )


def add_later(command: argparse.ArgumentParser, of: str = "") -> None:
    """Add ``--later``; ``of`` are the words that come before its help."""
    words = "download no packages now: the kernel of the environment brings them when it is started"
    command.add_argument("--later", action="store_true", help=of + words)


def add_accept(parser: argparse.ArgumentParser, what: str) -> None:
    """Add ``--accept``; ``what`` takes packages from there."""
    parser.add_argument(
        "--accept",
        action="append",
        metavar="ADDRESS",
        type=address,
        help=f"where {what} may take packages from although no setting names it; may be given several times",
    )


def address(text: str) -> str:
    """Return an address of a channel or index, or a folder."""
    if "://" not in text and not text.startswith("/"):
        msg = f"{text!r} is no address"
        raise argparse.ArgumentTypeError(msg)
    return text


def port(text: str) -> int:
    """Return the number of a port."""
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        msg = f"{text!r} is no port: 1 to 65535"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def seconds(text: str) -> int:
    """Return a time that has passed some day."""
    if not text.isdecimal() or int(text) < 1:
        msg = f"{text!r} is no time: whole seconds, at least 1"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def add_bringing_back(parser: argparse.ArgumentParser) -> None:
    """Add what says how the environment of a notebook is brought back."""
    parser.add_argument("--exact", action="store_true", help="fail if the exact build cannot be had")
    add_accept(parser, "the lock in the notebook")
    parser.add_argument("--environment", metavar="NAMESPACE/NAME[:BUILD]", help="run in this environment instead")
