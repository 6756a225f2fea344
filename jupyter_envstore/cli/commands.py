"""Commands that make, show and keep environments."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from jupyter_envstore.builds.options import BuildOptions
from jupyter_envstore.cli.common import POLL_SECONDS, find, open_store, print_json, read_file, wait, who
from jupyter_envstore.cli.display import LiveDisplay, human_size, table
from jupyter_envstore.envstore import BuildRef, EnvStore
from jupyter_envstore.errors import BuildCanceledError, BuildFailedError, EnvStoreError, InvalidInputError
from jupyter_envstore.policy import SETTINGS
from jupyter_envstore.spec import Specification, check_name, parse_reference, read_specification
from jupyter_envstore.spec.repair import Repaired, repair
from jupyter_envstore.store.models import CANCELED, COMPLETED, UNSETTLED


def build(options: argparse.Namespace) -> int:
    """Build an environment from a file."""
    data = read_file(options.file)
    with open_store(options) as store:
        if options.fix:
            repaired = repair(data, options.file)
            _report_changes(repaired)
            data = repaired.text.encode()
        specification = read_specification(data, options.file, store.config.allow_local_files)
        choices = BuildOptions(options.exclude_newer, tuple(options.virtual_package or ()), options.all_platforms)
        reference = store.submit(specification, options.namespace, options.name, who(), options=choices)
        if options.no_wait:
            store.scheduler.tick()
            print_json({"build": str(reference), "id": reference.id}) if options.json else print(reference)
            return 0
        print(f"building {reference}", file=sys.stderr)
        view = follow(store, reference)
        _report_build(view, options.json)
        return _outcome(view)


def follow(store: EnvStore, reference: BuildRef) -> dict[str, Any]:
    """Show a build until it has settled; an interrupt leaves it running and says how to stop it."""
    try:
        return wait(store, reference.id, LiveDisplay())
    except KeyboardInterrupt:
        print(
            f"\n{reference} goes on in the background. Follow it: jupyter envstore logs -f {reference}\n"
            f"Stop it: jupyter envstore cancel {reference}",
            file=sys.stderr,
        )
        raise


def _outcome(view: dict[str, Any]) -> int:
    name = f"{view['namespace']}/{view['name']}:{view['number']}"
    if view["status"] == CANCELED:
        msg = f"{name} was canceled"
        raise BuildCanceledError(msg)
    if view["status"] != COMPLETED:
        msg = f"{name} failed: {view['reason']}"
        raise BuildFailedError(msg)
    return 0


def _report_build(view: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(view)
    elif view["status"] == COMPLETED:
        print(f"{view['namespace']}/{view['name']}:{view['number']} is ready: {view['packages']} packages, "
              f"{human_size(view['size'])} ({human_size(view['own_size'])} of its own)")  # fmt: skip
        print(f"  prefix     {view['prefix']}")
        for artifact in view["artifacts"]:
            state = human_size(artifact["size"]) if artifact["state"] == "ready" else artifact["state"]
            print(f"  {artifact['type']:<10} {state}  {artifact['reason']}".rstrip())


def _report_changes(repaired: Repaired) -> None:
    for change in repaired.changes:
        print(f"changed: {change.what} ({change.why})", file=sys.stderr)


def apply(options: argparse.Namespace) -> int:
    """Build every environment whose file changed."""
    check_name("namespace", options.namespace)
    results: list[dict[str, str]] = []
    wanted: dict[str, tuple[Path, Specification]] = {}
    readable = True
    with open_store(options) as store:
        for path in _specification_files(options.paths):
            try:
                specification = read_specification(read_file(str(path)), path.name, store.config.allow_local_files)
                name = check_name("environment", specification.name or path.stem)
                if name.lower() in {other.lower() for other in wanted}:
                    msg = f"another file describes {name} already"
                    raise InvalidInputError(msg)
            except EnvStoreError as error:
                results.append({"file": str(path), "name": "", "result": "failed", "reason": str(error)})
                readable = False
                continue
            wanted[name] = (path, specification)
        for name, (path, specification) in wanted.items():
            try:
                asked, _ = store.as_settings_want(specification, options.namespace, name)
            except EnvStoreError as error:
                place = f"{options.namespace}/{name}"
                results.append({"file": str(path), "name": place, "result": "failed", "reason": str(error)})
                continue
            same = store.newest_specification(options.namespace, name) == asked.sha256
            result = "unchanged" if same else "would build" if options.dry_run else "built"
            reason = ""
            if result == "built":
                reference = store.submit(specification, options.namespace, name, who(), "applied")
                view = wait(store, reference.id)
                if view["status"] != COMPLETED:
                    result, reason = "failed", view["reason"]
            place = f"{options.namespace}/{name}"
            results.append({"file": str(path), "name": place, "result": result, "reason": reason})
        if options.prune and readable:
            results += _prune(store, options, set(wanted))
    if options.json:
        print_json(results)
    else:
        for line in results:
            print(f"{line['result']:<12} {line['name'] or line['file']}  {line['reason']}".rstrip())
    return 5 if any(line["result"] == "failed" for line in results) else 0


def _specification_files(paths: list[str]) -> list[Path]:
    found: list[Path] = []
    for text in paths:
        path = Path(text)
        if path.is_dir():
            found += sorted(p for p in path.iterdir() if p.suffix in (".yml", ".yaml") and p.is_file())
        elif path.is_file():
            found.append(path)
        else:
            msg = f"{text} is neither a file nor a folder"
            raise InvalidInputError(msg)
    return found


def _prune(store: EnvStore, options: argparse.Namespace, wanted: set[str]) -> list[dict[str, str]]:
    results = []
    keys = {name.lower() for name in wanted}
    for environment in store.environments(options.namespace):
        if environment["name"].lower() not in keys:
            if not options.dry_run:
                store.delete_environment(options.namespace, environment["name"], who())
            result = "would delete" if options.dry_run else "deleted"
            name = f"{options.namespace}/{environment['name']}"
            results.append({"file": "", "name": name, "result": result, "reason": ""})
    return results


def import_file(options: argparse.Namespace) -> int:
    """Repair a file and print it."""
    repaired = repair(read_file(options.file), options.file)
    read_specification(repaired.text, f"{options.file}, repaired,")
    if options.output:
        Path(options.output).write_text(repaired.text, encoding="utf-8")
    if options.json:
        changes = [{"what": change.what, "why": change.why} for change in repaired.changes]
        print_json({"kind": repaired.kind, "text": repaired.text, "changes": changes})
        return 0
    _report_changes(repaired)
    if not options.output:
        print(repaired.text, end="")
    return 0


def list_environments(options: argparse.Namespace) -> None:
    """List environments."""
    with open_store(options) as store:
        found = store.environments(options.namespace)
    if options.json:
        print_json(found)
    elif not found:
        print("no environments yet; make one with: jupyter envstore build environment.yml", file=sys.stderr)
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


def _status(environment: dict[str, Any]) -> str:
    build = environment["build"]
    if build is None:
        return environment["newest_status"] or "no build yet"
    return "packed away" if build["packed_away"] else str(build["status"])


def show(options: argparse.Namespace) -> None:
    """Show a build."""
    with open_store(options) as store:
        reference = find(store, options.environment)
        view = store.show(reference.id)
        builds = store.builds(reference.namespace, reference.name)
    if options.json:
        print_json({**view, "builds": builds})
        return
    active = ", active" if view["active"] else ""
    print(f"{reference}  {view['status']}{active}" + (f"\n{view['reason']}" if view["reason"] else ""))
    if view["description"]:
        print(view["description"])
    when = view["scheduled_on"][:19].replace("T", " ")
    print(f"  by {view['created_by']}, {when} UTC, took {view['duration'] or 0:.1f} s")
    print(f"  {view['packages']} packages, {human_size(view['size'])} ({human_size(view['own_size'])} of its own)")
    print(f"  prefix  {view['prefix'] or 'none'}\n")
    lines = [
        [a["type"], a["variant"], a["state"], human_size(a["size"]), (a["sha256"] or "")[:12], a["reason"]]
        for a in view["artifacts"]
    ]
    print(table(["ARTIFACT", "", "STATE", "SIZE", "SHA-256", ""], lines) if lines else "no artifacts")
    older = [[str(b["number"]), b["status"], b["scheduled_on"][:16], b["reason"].split("\n")[0][:60]] for b in builds]
    print("\n" + table(["BUILD", "STATUS", "WHEN (UTC)", ""], older))


def logs(options: argparse.Namespace) -> None:
    """Print the log of a build."""
    with open_store(options) as store:
        reference = find_newest(store, options.environment)
        printed = 0
        while True:
            status = store.show(reference.id)["status"]
            settled = status not in UNSETTLED and not store.busy(reference.id)
            text = store.log(reference.id)
            print(text[printed:], end="", flush=True)
            printed = len(text)
            if settled or not options.follow:
                return
            store.scheduler.tick()
            time.sleep(POLL_SECONDS)


def find_newest(store: EnvStore, text: str) -> BuildRef:
    """Return the named build; without a number the newest, which is the one that people follow or stop."""
    namespace, name, number = parse_reference(text)
    if number is None:
        store.find(namespace, name)
        newest = store.builds(namespace, name)
        number = str(newest[0]["number"]) if newest else None
    return store.find(namespace, name, number)


def diff(options: argparse.Namespace) -> None:
    """Show what changed between two builds."""
    with open_store(options) as store:
        changes = store.diff(find(store, options.first).id, find(store, options.second).id)
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


def cancel(options: argparse.Namespace) -> None:
    """Stop a build."""
    with open_store(options) as store:
        reference = find_newest(store, options.environment)
        kinds = store.cancel(reference.id, who())
        what = "artifacts of " if set(kinds) == {"artifact"} else ""
        print(f"canceled {what}{reference}")


def activate(options: argparse.Namespace) -> None:
    """Make a build the active one."""
    namespace, name, number = parse_reference(options.environment)
    if number is None:
        msg = f"which build? for example: jupyter envstore activate {namespace}/{name}:1"
        raise InvalidInputError(msg)
    with open_store(options) as store:
        reference = store.activate(namespace, name, number, who())
    print_json({"build": str(reference), "id": reference.id}) if options.json else print(f"{reference} is active")


def delete(options: argparse.Namespace) -> int:
    """Delete an environment or a build."""
    namespace, name, number = parse_reference(options.environment)
    with open_store(options) as store:
        reference = store.find(namespace, name, number)
        what = str(reference) if number else f"{namespace}/{name} with all its builds"
        if not options.yes:
            if not sys.stdin.isatty():
                msg = f"delete {what}? say --yes to do it without a question"
                raise InvalidInputError(msg)
            if input(f"Delete {what}? [y/N] ").strip().lower() not in ("y", "yes"):
                return 1
        if number:
            store.delete_build(reference.id, who())
        else:
            store.delete_environment(namespace, name, who())
    print(f"deleted {what}")
    return 0


def restore(options: argparse.Namespace) -> int:
    """Bring a packed-away build back."""
    with open_store(options) as store:
        reference = find(store, options.environment)
        missing = store.check_restore(reference.id)
        if missing:
            listed = "\n  ".join(missing)
            msg = f"{reference} cannot be brought back: {len(missing)} packages are not to be had any more:\n  {listed}"
            raise BuildFailedError(msg)
        if options.check:
            print(f"{reference} can be brought back: every package is to be had")
            return 0
        store.restore(reference.id, who())
        view = follow(store, reference)
        if view["prefix"] is None:
            msg = f"{reference} could not be brought back; see: jupyter envstore logs {reference}"
            raise BuildFailedError(msg)
        print(f"{reference} is back: {view['prefix']}")
    return 0


def collect(options: argparse.Namespace) -> None:
    """Free space."""
    with open_store(options) as store:
        plan = store.collect(options.dry_run)
    if options.json:
        removals = [{"kind": r.kind, "name": r.name, "reason": r.reason, "size": r.size} for r in plan.removals]
        print_json({"dry_run": options.dry_run, "size": plan.size, "removals": removals})
        return
    for removal in plan.removals:
        print(f"{human_size(removal.size):>10}  {removal.kind}  {removal.name}  ({removal.reason})")
    print(f"{human_size(plan.size)} {'would be freed' if options.dry_run else 'freed'}")


def setting(options: argparse.Namespace) -> None:
    """Show or change settings."""
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
            store.change_settings(values, scope, who())
        found = store.settings(scope)
    if options.json:
        print_json(found)
    else:
        print(
            table(
                ["SETTING", "VALUE", ""],
                [[k, json.dumps(v), SETTINGS[k].help] for k, v in sorted(found.items())],
            )
        )
