"""Commands that change what is there: cancel, activate, delete, collect, settings."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from jupyter_envstore.cli.common import command, print_json, tell, who
from jupyter_envstore.cli.display import table
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.cli.show import find_newest
from jupyter_envstore.database.states import stopped_words
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.policy import SETTINGS
from jupyter_envstore.spec import parse_reference
from jupyter_envstore.spec.wording import counted, human_size


def cancel(options: argparse.Namespace) -> None:
    """Stop a build."""
    with open_store(options) as store:
        reference = find_newest(store, options.environment)
        kinds = store.builds.cancel(reference.id, who())
        store.scheduler.tick()  # what waited behind it goes on
    tell(options, {"build": str(reference), "stopped": kinds}, f"canceled {stopped_words(kinds, str(reference))}")


def activate(options: argparse.Namespace) -> None:
    """Make a build the active one."""
    namespace, name, number = parse_reference(options.environment)
    if number is None:
        msg = f"which build? for example: jupyter envstore activate {namespace}/{name}:1"
        raise InvalidInputError(msg)
    with open_store(options) as store:
        reference = store.environments.activate(namespace, name, number, who())
    tell(options, {"build": str(reference), "id": reference.id}, f"{reference} is active")


def delete(options: argparse.Namespace) -> int:
    """Delete an environment or a build."""
    namespace, name, number = parse_reference(options.environment)
    with open_store(options) as store:
        reference = store.builds.find(namespace, name, number)
        what = str(reference) if number else f"{namespace}/{name} with all its builds"
        if not options.yes:
            if not sys.stdin.isatty():
                msg = f"delete {what}? say --yes to do it without a question"
                raise InvalidInputError(msg)
            if input(f"Delete {what}? [y/N] ").strip().lower() not in ("y", "yes"):
                return 1
        if number:
            store.builds.delete(reference.id, who())
        else:
            store.retention.clear_deleted()
            store.environments.delete(namespace, name, who(), options.now)
            if not options.now:
                what += f"; for ten minutes it can come back: {command(f'undelete {namespace}/{name}')}"
    tell(options, {"deleted": str(reference) if number else f"{namespace}/{name}"}, f"deleted {what}")
    return 0


def undelete(options: argparse.Namespace) -> int:
    """Bring a deleted environment back."""
    namespace, name, number = parse_reference(options.environment)
    if number is not None:
        msg = f"a deleted build cannot come back, an environment can: {command(f'undelete {namespace}/{name}')}"
        raise InvalidInputError(msg)
    with open_store(options) as store:
        count = store.environments.undelete(namespace, name, who())
    told = counted(count, "build")
    tell(options, {"environment": f"{namespace}/{name}", "builds": count}, f"{namespace}/{name} is back, with {told}")
    return 0


def collect(options: argparse.Namespace) -> None:
    """Free space."""
    with open_store(options) as store:
        plan = store.retention.collect(options.dry_run, options.gone)
    if options.json:
        removals = [{"kind": r.kind, "name": r.name, "reason": r.reason, "size": r.size} for r in plan.removals]
        print_json({"dry_run": options.dry_run, "size": plan.size, "removals": removals})
        return
    for removal in plan.removals:
        print(f"{human_size(removal.size):>10}  {removal.kind}  {removal.name}  ({removal.reason})")
    print(f"{human_size(plan.size)} {'would be freed' if options.dry_run else 'freed'}")


def setting(options: argparse.Namespace) -> None:
    """Show all settings, or change some and show those."""
    scope = tuple((options.scope or "").split("/", 1)) if options.scope else ()
    values: dict[str, Any] = {}
    for assignment in options.assignments:
        key, separator, text = assignment.partition("=")
        if not separator:
            msg = f"{assignment!r}: write KEY=VALUE"
            raise InvalidInputError(msg)
        try:
            values[key] = json.loads(text)
        except ValueError:
            values[key] = text
    with open_store(options) as store:
        if values:
            store.settings.change(values, scope, who())
        found = store.settings.effective(scope)
    if options.json:
        print_json(found)
    else:
        print(
            table(
                ["SETTING", "VALUE", ""],
                [[k, json.dumps(v), SETTINGS[k].help] for k, v in sorted(found.items()) if not values or k in values],
            )
        )
