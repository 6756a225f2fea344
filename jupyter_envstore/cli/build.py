"""Commands that make, show and keep environments."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jupyter_envstore.builds.options import BuildOptions
from jupyter_envstore.cli.common import command, print_json, read_file, tell, wait, who
from jupyter_envstore.cli.display import LiveDisplay, remark
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.database.states import CANCELED, COMPLETED
from jupyter_envstore.errors import (
    BuildCanceledError,
    BuildFailedError,
    EnvStoreError,
    InvalidInputError,
    NotFoundError,
    SpecificationError,
)
from jupyter_envstore.policy.access import EVERYWHERE, Identity
from jupyter_envstore.representation.builds import FullBuildView
from jupyter_envstore.representation.conda_store_types import EnvironmentJson
from jupyter_envstore.services.common_interfaces import AnyStore
from jupyter_envstore.services.store import OWN_NAMESPACE
from jupyter_envstore.services.values import BuildRef
from jupyter_envstore.spec import Specification, check_name, read_specification, split_place
from jupyter_envstore.spec.converting.draft import ChoiceError, Pick
from jupyter_envstore.spec.included_files import FilesBeside
from jupyter_envstore.spec.repair import Repaired, repair
from jupyter_envstore.spec.wording import counted, human_size

CHOOSING = ("--environment", "--category")
"""Options that say what is taken of a file."""


def build(options: argparse.Namespace) -> int:
    """Build an environment from a file."""
    split_place(options.namespace or "", options.name or "")  # so that bad names are told before the file is read
    data = read_file(options.file)
    with open_store(options) as store:
        namespace, name = new_place(store, options.name or "", options.namespace or "")
        exclude_newer = options.exclude_newer
        pick = pick_of(options)
        is_fixed, held = options.fix or pick != Pick(), None
        if is_fixed:
            repaired = _repair(data, options.file, _defaults(store, namespace), pick)
            report_changes(repaired)
            data, held = repaired.text.encode(), repaired.held
            exclude_newer = exclude_newer or repaired.exclude_newer
        try:
            local, named = store.allow_local_files, bool(name)
            specification = read_specification(data, options.file, local, held=held, named=named)
        except SpecificationError as error:
            if is_fixed:
                print(f"lines count in the repaired text: {_printing(options)} prints it", file=sys.stderr)
            elif hint := _what_a_repair_does(
                data, options.file, _defaults(store, namespace), store.allow_local_files, error
            ):
                print(hint, file=sys.stderr)
            raise
        choices = BuildOptions(exclude_newer, tuple(options.virtual_package or ()), options.all_platforms)
        reference = store.builds.submit(specification, namespace, name or None, who(), options=choices)
        _report_notes(reference.notes)
        return see_through(store, reference, options)


def new_place(store: AnyStore, name: str, namespace: str = "") -> tuple[str, str]:
    """Return namespace and name of a new environment that is given as ``[NAMESPACE/]NAME``; the name may be empty.

    Raises
    ------
    InvalidInputError
        Two namespaces are given, or a part is missing.
    """
    space, name = split_place(namespace, name)
    return space or store.own_namespace, name


def see_through(store: AnyStore, reference: BuildRef, options: argparse.Namespace) -> int:
    """Follow a build to its end and tell what came out; with ``--no-wait`` only its name.

    With ``--later`` there is nothing to follow.
    """
    if getattr(options, "later", False):
        words = f"{reference} is there, without files: its kernel brings them when it is started"
        words += f"; now: {command(f'restore {reference}')}"
        tell(options, {"build": str(reference), "id": reference.id}, words)
        return 0
    if options.no_wait:
        if why := store.scheduler.start_and_leave():
            print(f"{reference} is queued: {why}", file=sys.stderr)
        tell(options, {"build": str(reference), "id": reference.id}, reference)
        return 0
    print(f"building {reference}", file=sys.stderr)
    view = follow(store, reference)
    _report_build(view, options.json, store.records.failed_platforms(reference.id))
    return outcome(view)


def follow(store: AnyStore, reference: BuildRef) -> FullBuildView:
    """Show a build until it has settled; an interrupt leaves it running and says how to stop it."""
    try:
        return wait(store, reference.id, LiveDisplay())
    except KeyboardInterrupt:
        if why := store.scheduler.start_and_leave():
            print(f"\n{reference} does not go on now: {why}", file=sys.stderr)
            raise
        print(
            f"\n{reference} goes on in the background. Follow it: {command(f'logs -f {reference}')}\n"
            f"Stop it: {command(f'cancel {reference}')}",
            file=sys.stderr,
        )
        raise


def _defaults(store: AnyStore, namespace: str) -> str:
    """Return what the channel ``defaults`` becomes in a namespace."""
    return store.settings.near((namespace, None))["defaults_channel"]


def outcome(view: FullBuildView) -> int:
    """Return 0 for a build that can be used.

    Raises
    ------
    BuildCanceledError, BuildFailedError
        It ended otherwise.
    """
    name = f"{view['namespace']}/{view['name']}:{view['number']}"
    if view["status"] == CANCELED:
        msg = f"{name} was canceled"
        raise BuildCanceledError(msg)
    if view["status"] != COMPLETED:
        msg = f"{name} failed: {view['reason']}"
        raise BuildFailedError(msg)
    return 0


def _report_build(view: FullBuildView, as_json: bool, failed_platforms: Mapping[str, str]) -> None:
    if as_json:
        print_json({**view, "failed_platforms": failed_platforms})
    elif view["status"] == COMPLETED:
        for platform, reason in failed_platforms.items():
            print(f"not locked for {platform}: {reason.splitlines()[0]}", file=sys.stderr)
        print(f"{view['namespace']}/{view['name']}:{view['number']} is ready: {counted(view['packages'], 'package')}, "
              f"{human_size(view['size'])} ({human_size(view['own_size'])} of its own)")  # fmt: skip
        if view["prefix"] is not None:
            print(f"  prefix     {view['prefix']}")
        for warning in view["warnings"]:
            print(f"  warning: {warning['message']}", file=sys.stderr)
        for artifact in view["artifacts"]:
            state = human_size(artifact["size"]) if artifact["state"] == "ready" else artifact["state"]
            print(f"  {artifact['type']:<10} {state}  {remark(artifact)}".rstrip())


def owner() -> Identity:
    """Return the identity of the person at the keyboard, who may do everything on a store of this machine."""
    return Identity(who(), OWN_NAMESPACE, {EVERYWHERE: ["admin"]}, owns_account=True)


def find_environment(store: AnyStore, namespace: str, name: str) -> EnvironmentJson | None:
    """Return an environment of the store; None where it is not there."""
    with contextlib.suppress(NotFoundError):
        return store.environments.get(owner(), namespace, name)
    return None


def repair_file(store: AnyStore, file: str, namespace: str, pick: Pick) -> Repaired:
    """Read a file of any accepted kind as a specification for a namespace."""
    return _repair(read_file(file), file, _defaults(store, namespace), pick)


def _repair(data: bytes, file: str, defaults: str, pick: Pick) -> Repaired:
    """Repair a file; what it names beside it is read, and its folder may give its name."""
    try:
        if file == "-":
            return repair(data, file, defaults, pick=pick)
        path = Path(file).resolve()
        return repair(data, str(path), defaults, beside=FilesBeside(path.parent), pick=pick)
    except ChoiceError as error:
        raise error.with_ways_out(*CHOOSING) from None


def _what_a_repair_does(data: bytes, file: str, defaults: str, local: bool, before: SpecificationError) -> str:
    """Return the hint at ``--fix`` for a file with faults; empty where a repair leaves them as they are."""
    try:
        repaired = _repair(data, file, defaults, Pick())
    except ChoiceError:
        return "this kind of file is read with --fix"
    except SpecificationError:
        return ""
    try:
        read_specification(repaired.text, file, local, held=repaired.held)
    except SpecificationError as after:
        helps = {fault.message for fault in before.faults} - {fault.message for fault in after.faults}
        return "--fix repairs a part of it, and says what is left" if helps else ""
    return "the file can be repaired on the way: --fix"


def _printing(options: argparse.Namespace) -> str:
    """Return the command that prints the repaired text of a file that was to be built."""
    picked = [word for name in options.category or () for word in ("--category", name)]
    picked += ["--environment", options.environment] if options.environment else []
    return shlex.join(["jupyter", "envstore", "import", options.file, *picked])


def pick_of(options: argparse.Namespace) -> Pick:
    """Return what somebody wants of a file that offers several things."""
    return Pick(options.environment or "", tuple(options.category or ()))


def _report_notes(notes: Sequence[str]) -> None:
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def report_changes(repaired: Repaired) -> None:
    """Tell what a repair changed, and what there is to choose from."""
    for change in repaired.changes:
        print(f"changed: {change.what} ({change.why})", file=sys.stderr)
    offer = repaired.offer
    if len(offer.environments) > 1:
        print("choose another environment with: --environment NAME", file=sys.stderr)
    if left := [name for name in offer.categories if name not in offer.taken]:
        print(f"choose more categories with: --category NAME ({', '.join(left)[:300]})", file=sys.stderr)
    if repaired.exclude_newer:
        print(f"exclude-newer: {repaired.exclude_newer} (for a build: --exclude-newer)", file=sys.stderr)


def apply(options: argparse.Namespace) -> int:
    """Build every environment whose file changed."""
    if options.namespace:
        check_name("namespace", options.namespace)
    results: list[dict[str, str]] = []
    wanted: dict[str, tuple[Path, Specification]] = {}
    readable = True
    with open_store(options) as store:
        namespace = options.namespace or store.own_namespace
        for path in _specification_files(options.paths):
            try:
                specification = read_specification(read_file(str(path)), path.name, store.allow_local_files)
                name = check_name("environment", specification.name or path.stem)
                if name.lower() in {other.lower() for other in wanted}:
                    msg = f"another file describes {name} already"
                    raise InvalidInputError(msg)
            except EnvStoreError as error:
                results.append({"file": str(path), "name": "", "result": "failed", "reason": str(error)})
                readable = False
                continue
            wanted[name] = (path, specification)
        doomed = _without_file(store, namespace, set(wanted)) if options.prune and readable else []
        if doomed and not (options.dry_run or options.yes) and not _may_delete(doomed):
            return 1
        for name, (path, specification) in wanted.items():
            try:
                asked = store.builds.check(specification, namespace, name)
            except EnvStoreError as error:
                place = f"{namespace}/{name}"
                results.append({"file": str(path), "name": place, "result": "failed", "reason": str(error)})
                continue
            _report_notes([f"{path}: {note}" for note in asked.notes])
            newest, waiting = store.environments.newest_specification(namespace, name)
            same = newest == asked.sha256
            result = "unchanged" if same else "would build" if options.dry_run else "built"
            reason = ""
            if same and not options.dry_run and waiting:
                view = wait(store, waiting)  # another has it built already
                if view["status"] != COMPLETED:
                    result, reason = "failed", view["reason"]
            elif result == "built":
                reference = store.builds.submit(specification, namespace, name, who(), "applied")
                view = wait(store, reference.id)
                if view["status"] != COMPLETED:
                    result, reason = "failed", view["reason"]
            place = f"{namespace}/{name}"
            results.append({"file": str(path), "name": place, "result": result, "reason": reason})
        results += _prune(store, namespace, options.dry_run, doomed)
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


def _without_file(store: AnyStore, namespace: str, wanted: set[str]) -> list[str]:
    """Return the names of a namespace's environments that are not among those that files describe."""
    keys = {name.lower() for name in wanted}
    names = [str(environment["name"]) for environment in store.environments.list_all(namespace)]
    return [name for name in names if name.lower() not in keys]


def _may_delete(names: Sequence[str]) -> bool:
    """Ask whether environments may be deleted.

    Raises
    ------
    InvalidInputError
        Nobody is there to be asked.
    """
    listed = ", ".join(names)
    if not sys.stdin.isatty():
        msg = f"--prune deletes {listed}, which no file describes; say --yes to do it without a question"
        raise InvalidInputError(msg)
    return input(f"No file describes {listed}. Delete? [y/N] ").strip().lower() in ("y", "yes")


def _prune(store: AnyStore, namespace: str, dry_run: bool, names: Sequence[str]) -> list[dict[str, str]]:
    results = []
    for name in names:
        if not dry_run:
            store.environments.delete(namespace, name, who())
        result = "would delete" if dry_run else "deleted"
        results.append({"file": "", "name": f"{namespace}/{name}", "result": result, "reason": ""})
    return results


def import_file(options: argparse.Namespace, data: bytes) -> int:
    """Repair a file and print it; ``data`` is its content."""
    with open_store(options) as store:
        repaired = _repair(data, options.file, _defaults(store, store.own_namespace), pick_of(options))
    try:
        found = read_specification(repaired.text, f"{options.file}, repaired,", held=repaired.held)
    except SpecificationError:
        if not options.json:
            report_changes(repaired)
            if options.output:
                print(f"{options.output} is not written; without -o the text is printed", file=sys.stderr)
            else:
                print(repaired.text, end="", flush=True)  # lines of the faults count in it
        raise
    if options.output:
        Path(options.output).write_text(repaired.text, encoding="utf-8")
    if options.json:
        changes = [{"what": change.what, "why": change.why} for change in repaired.changes]
        told: dict[str, Any] = {"kind": repaired.kind, "text": repaired.text, "changes": changes}
        told |= {"notes": list(found.notes), "offer": asdict(repaired.offer), "exclude_newer": repaired.exclude_newer}
        print_json(told)
        return 0
    report_changes(repaired)
    _report_notes(found.notes)
    if not options.output:
        print(repaired.text, end="")
    return 0
