"""The parser of all commands."""

from __future__ import annotations

import argparse

from jupyter_envstore.cli.arguments.common import add_command
from jupyter_envstore.cli.arguments.elsewhere import register_moving, register_other_stores
from jupyter_envstore.cli.arguments.keeping import register_channels, register_keeping, register_site
from jupyter_envstore.cli.arguments.making import register_building, register_demo, register_files, register_images
from jupyter_envstore.cli.arguments.using import register_looking, register_notebooks, register_using

EPILOG = """\
Without a command, or with options of a server (--port, --ServerApp.…) alone, a Jupyter server starts with this
extension.

An environment is named NAMESPACE/NAME, one of its builds NAMESPACE/NAME:NUMBER.

exit codes: 0 done, 1 failed, 2 bad input, 3 not found, 4 conflicting state, 5 the build failed,
6 the store cannot be used, 7 canceled, 8 the exact build of a notebook cannot be had, 9 a cell of a notebook failed,
130 interrupted
"""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="jupyter envstore",
        description="Environments that can be shared and brought back exactly.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for register in (
        register_demo,
        register_building,
        register_files,
        register_looking,
        register_images,
        register_using,
        register_other_stores,
        register_moving,
        register_notebooks,
        register_keeping,
        register_site,
        register_channels,
    ):
        register(lambda name, run, help_text: add_command(commands, name, run, help_text))
    return parser


class _Version(argparse.Action):
    """Prints the version, which is read only then: the other commands need not wait for it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from jupyter_envstore import __version__

        print(f"jupyter-envstore {__version__}")
        parser.exit()
