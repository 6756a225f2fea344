"""Commands about channels: search them, make one."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from jupyter_envstore.cli.common import print_json
from jupyter_envstore.cli.display import table
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.errors import InvalidInputError, NotFoundError
from jupyter_envstore.spec.wording import counted, human_size


def channel(options: argparse.Namespace) -> None:
    """Make a conda channel of Python installations and PyPI wheels."""
    from jupyter_envstore.channel_maker.channel import DEMO_REQUIREMENTS, make_channel

    if Path(options.directory).is_file():
        msg = f"{options.directory} is a file; name a folder for the channel"
        raise InvalidInputError(msg)
    result = make_channel(
        Path(options.directory),
        options.requirements or DEMO_REQUIREMENTS,
        [Path(python) for python in options.python or ()],
        lambda text: print(f"  {text}", file=sys.stderr),
    )
    url = result.path.as_uri()
    if options.json:
        unloadable = [asdict(lost) for lost in result.unloadable]
        told = {"unloadable": unloadable, "notes": list(result.notes)}
        print_json({"channel": url, "added": result.added, "pythons": list(result.pythons), **told})
    else:
        for note in result.notes:
            print(f"note: {note}", file=sys.stderr)
        for lost in result.unloadable:
            print(f"warning: {lost}", file=sys.stderr)
        print(f"{url}\n{counted(result.added, 'package')} added; Python {', '.join(result.pythons)}")


def search(options: argparse.Namespace) -> None:
    """Find packages in channels."""
    with open_store(options) as store:
        found = store.channels.search(options.package, options.channel or (), options.platform)
    if not found:
        msg = f"no package {options.package} in the channels"
        raise NotFoundError(msg)
    if options.json:
        print_json(found)
    else:
        lines = [[p["name"], p["version"], p["build"], p["channel"], human_size(p["size"])] for p in found]
        print(table(["PACKAGE", "VERSION", "BUILD", "CHANNEL", "SIZE"], lines))
