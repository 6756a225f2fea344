"""The one place where errors become exit codes."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from jupyter_envstore.cli.arguments.common import SEVERAL
from jupyter_envstore.cli.arguments.parser import make_parser
from jupyter_envstore.errors import EnvStoreError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = parse(arguments)
    if sys.platform == "win32":
        print("error: the store runs on Linux and macOS; on Windows, use it in WSL", file=sys.stderr)
        return 6
    try:
        return int(options.run(options) or 0)
    except EnvStoreError as error:
        if getattr(options, "json", False):
            print(json.dumps({"status": "error", "code": error.code, "message": str(error)}))
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except (OSError, EOFError) as error:
        place = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
        reason = "the input ended" if isinstance(error, EOFError) else error.strerror or error
        print(f"error: {place}{reason}", file=sys.stderr)
        return 1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options; words of a list count to it wherever they stand, also behind an option."""
    parser = make_parser()
    options, rest = parser.parse_known_args(arguments)
    several: str = getattr(options, SEVERAL, "")
    if rest and (not several or any(word.startswith("-") for word in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        setattr(options, several, [*(getattr(options, several) or ()), *rest])
    return options


def run() -> None:
    """Run a command and end the process; without a command, start a Jupyter server.

    Without Python's own way out: the threads of rattler 0.28 now and then crash an interpreter that takes itself apart
    (about one in fifty ends with SIGSEGV after all work is done).
    """
    arguments = root_behind_command(sys.argv[1:])
    if not arguments or (arguments[0].startswith("--") and arguments[0] not in ("--help", "--version")):
        from jupyter_envstore.application.app import EnvStoreApp

        EnvStoreApp.launch_instance(arguments)  # type: ignore[no-untyped-call]
        return
    code = main(arguments)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        code = code or 1
    os._exit(code)


def root_behind_command(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with a ``--root DIR`` or ``--store URL`` that stands before the command behind its name."""
    words = list(arguments)
    if words and words[0].startswith(("--root=", "--store=")):
        return [*words[1:2], words[0], *words[2:]] if len(words) > 1 else words
    if len(words) > 2 and words[0] in ("--root", "--store") and not words[2].startswith("-"):
        return [words[2], *words[:2], *words[3:]]
    return words
