"""Packages added to environments and removed from them, without an editor."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from jupyter_envstore.cli.build import see_through
from jupyter_envstore.cli.common import print_json, who
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.cli.show import find_newest
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.package_editing import edit_packages


def add(options: argparse.Namespace) -> int:
    """Change the packages of an environment's newest specification and build it, with the choices of that build."""
    if not options.packages and not options.remove:
        msg = "which packages? for example: jupyter envstore add team/data numpy 'pandas <3' pip:rich"
        raise InvalidInputError(msg)
    with open_store(options) as store:
        before = find_newest(store, options.environment)
        text = edit_packages(store.builds.text(before.id), options.packages, options.remove or ())
        if options.dry_run:
            print_json({"specification": text}) if options.json else print(text, end="")
            return 0
        specification = read_specification(text, "the specification", store.allow_local_files, named=True)
        choices = store.builds.options(before.id)
        if options.take_newer:
            choices = replace(choices, exclude_newer="")
        if choices.exclude_newer:
            date = choices.exclude_newer
            print(
                f"note: packages uploaded after {date} are left out, as in {before}; or: --take-newer", file=sys.stderr
            )
        trigger = f"edit of {before.number}"
        reference = store.builds.submit(specification, before.namespace, before.name, who(), trigger, choices)
        for note in reference.notes:
            print(f"note: {note}", file=sys.stderr)
        return see_through(store, reference, options)
