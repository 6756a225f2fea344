"""Commands that look: environments, builds, logs, differences."""

from __future__ import annotations

import argparse
import sys
import time

from jupyter_envstore.cli.common import command, find, print_json
from jupyter_envstore.cli.display import remark, table
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.database.states import COMPLETED, UNSETTLED
from jupyter_envstore.errors import ConflictError, NotFoundError, StorageError
from jupyter_envstore.representation.builds import FullBuildView, KeptView
from jupyter_envstore.representation.environments import EnvironmentView
from jupyter_envstore.services.common_interfaces import AnyStore
from jupyter_envstore.services.values import BuildRef
from jupyter_envstore.spec import parse_reference
from jupyter_envstore.spec.wording import counted, human_size


def list_environments(options: argparse.Namespace) -> None:
    """List environments."""
    with open_store(options) as store:
        found = store.environments.list_all(options.namespace)
        if options.namespace and not found and not store.namespaces.exists(options.namespace):
            hint = f"; one environment: {command(f'show {options.namespace}')}" if "/" in options.namespace else ""
            msg = f"there is no namespace {options.namespace}{hint}"
            raise NotFoundError(msg)
    if options.json:
        print_json(found)
    elif not found:
        print(f"no environments yet; make one with: {command('build environment.yml')}", file=sys.stderr)
    else:
        lines = [
            [
                f"{environment['namespace']}/{environment['name']}",
                str(environment["build"]["number"]) if environment["build"] else "-",
                _status(environment),
                str(environment["build"]["packages"]) if environment["build"] else "",
                human_size(environment["build"]["size"]) if environment["build"] else "",
                environment["description"][:60],
            ]
            for environment in found
        ]
        print(table(["ENVIRONMENT", "BUILD", "STATUS", "PACKAGES", "SIZE", "DESCRIPTION"], lines))


def _status(environment: EnvironmentView) -> str:
    build = environment["build"]
    if build is None:
        return environment["newest_status"] or "no build yet"
    return "packed away" if build["packed_away"] else str(build["status"])


def show(options: argparse.Namespace) -> None:
    """Show a build."""
    with open_store(options) as store:
        reference = find(store, options.environment)
        view = store.builds.show(reference.id)
        failed_platforms = store.records.failed_platforms(reference.id)
        builds = store.builds.of_environment(reference.namespace, reference.name)
        missing = "" if view["prefix"] is None else whether_missing(store, reference)
    if options.json:
        print_json({**view, "failed_platforms": failed_platforms, "builds": builds})
        return
    active = ", active" if view["active"] else ""
    print(f"{reference}  {view['status']}{active}" + (f"\n{view['reason']}" if view["reason"] else ""))
    if view["description"]:
        print(view["description"])
    when = view["scheduled_on"][:19].replace("T", " ")
    print(f"  by {view['created_by']}, {when} UTC, took {view['duration'] or 0:.1f} s")
    packages, own = counted(view["packages"], "package"), human_size(view["own_size"])
    print(f"  {packages}, {human_size(view['size'])} ({own} of its own)")
    if view["exclude_newer"]:
        print(f"  packages uploaded after {view['exclude_newer']} were left out (exclude-newer)")
    for platform, reason in failed_platforms.items():
        print(f"  not locked for {platform}: {clause(reason)}")
    print(f"  prefix  {place_of_prefix(view)}{missing}")
    print(f"  packages  {keeping(view['kept_packages'])}\n")
    for warning in view["warnings"]:
        print(f"  warning: {warning['message']}")
    if view["warnings"]:
        print()
    lines = [
        [a["type"], a["variant"], a["state"], human_size(a["size"]), (a["sha256"] or "")[:12], remark(a)]
        for a in view["artifacts"]
    ]
    print(table(["ARTIFACT", "", "STATE", "SIZE", "SHA-256", ""], lines) if lines else "no artifacts")
    older = [[str(b["number"]), b["status"], b["scheduled_on"][:16], b["reason"].split("\n")[0][:60]] for b in builds]
    print("\n" + table(["BUILD", "STATUS", "WHEN (UTC)", ""], older))


def place_of_prefix(view: FullBuildView) -> str:
    """Say where the prefix of a build is."""
    if view["prefix"]:
        return view["prefix"]
    if view["other_places"]:
        return f"on {', '.join(view['other_places'])}; run and shell bring it here"
    if view["status"] != COMPLETED or view["packed_away"]:
        return "none"
    return "on the machine of the store; run and shell bring it here"


def whether_missing(store: AnyStore, reference: BuildRef) -> str:
    """Say that somebody removed a prefix that is said to be here; empty if it is there."""
    try:
        store.prefixes.path(reference.id)
    except ConflictError:
        return f"  is missing; bring it back: {command(f'restore {reference}')}"
    except StorageError as error:
        return f"  is missing: {error}"
    return ""


def keeping(kept: KeptView) -> str:
    """Say whether the files of a build's packages are kept."""
    size, missing = human_size(kept["size"]), counted(kept["missing"], "package")
    return {
        "no": "not kept: they come from their channels",
        "keeping": "being kept",
        "kept": f"kept in the store, {size}",
        "partly": f"kept in the store but for {missing}, {size}",
        "failed": "could not be kept; see the log",
    }[str(kept["state"])]


def clause(reason: str) -> str:
    """Return the first line of a reason."""
    return reason.split("\n")[0]


def logs(options: argparse.Namespace) -> None:
    """Print the log of a build."""
    with open_store(options) as store:
        reference = find_newest(store, options.environment)
        if options.json:
            print_json({"build": str(reference), "log": store.logs.read(reference.id)})
            return
        printed = 0
        while True:
            progress = store.builds.progress(reference.id)
            settled = progress["status"] not in UNSETTLED and not progress["busy"]
            text, printed = store.logs.part(reference.id, printed)
            print(text, end="", flush=True)
            if settled or not options.follow:
                return
            store.scheduler.tick()
            time.sleep(store.poll_seconds)


def find_newest(store: AnyStore, text: str) -> BuildRef:
    """Return the named build; without a number the newest, which is the one that people follow or stop."""
    namespace, name, number = parse_reference(text)
    if number is None:
        store.builds.find(namespace, name)
        newest = store.builds.of_environment(namespace, name)
        number = str(newest[0]["number"]) if newest else None
    return store.builds.find(namespace, name, number)


def diff(options: argparse.Namespace) -> None:
    """Show what changed between two builds."""
    with open_store(options) as store:
        changes = store.packages.diff(find(store, options.first).id, find(store, options.second).id)
    if options.json:
        print_json(changes)
    elif not changes:
        print("the same packages")
    else:
        print(
            table(
                ["CHANGE", "PACKAGE", "FROM", "TO"],
                [[c["change"], c["name"], c["from"], c["to"]] for c in changes],
            )
        )
