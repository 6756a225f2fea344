"""Command that takes environments over from a conda-store server."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_envstore.application.configuration import read_files
from jupyter_envstore.cli.build import find_environment
from jupyter_envstore.cli.common import wait, who
from jupyter_envstore.cli.display import LiveDisplay
from jupyter_envstore.cli.moving import FAILED, THERE, Line, tell_lines
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.cli.selection import chosen
from jupyter_envstore.database.states import COMPLETED
from jupyter_envstore.errors import EnvStoreError, NotFoundError, StorageError
from jupyter_envstore.private_files import write_private
from jupyter_envstore.remote.conda_store import CondaStore, CondaStoreEnvironment
from jupyter_envstore.services.common_interfaces import AnyStore
from jupyter_envstore.spec import Specification, check_name, read_specification
from jupyter_envstore.spec.names import suggest_name
from jupyter_envstore.spec.repair import repair

TOKEN = "CONDA_STORE_TOKEN"  # noqa: S105 - the name of a variable
LONGEST = 8_192
KEYS = ("name", "description", "channels", "dependencies", "variables")
"""What a specification has, in the order of an ``environment.yml``."""
TAKEN, SOLVED, WOULD = "taken over", "solved anew", "would take"


def from_conda_store(options: argparse.Namespace) -> int:
    """Take environments over; a line for each."""
    if options.into:
        check_name("namespace", options.into)
    certificates = read_files().remote_ca_file
    CondaStore(options.url, "", certificates).close()  # so that a wrong address is told before a token is asked for
    token = _token(options)
    server = CondaStore(options.url, token, certificates)
    with contextlib.closing(server), open_store(options) as store:
        shown = {str(each): each for each in server.environments()}
        if not shown and not token:
            msg = f"{server.url} shows no environment without a token; set {TOKEN}"
            raise NotFoundError(msg)
        found = chosen(shown, options.environments)
        lines = tell_lines(_taken(server, store, found, options), options)
    if not lines:
        print(f"{server.url} shows no environment", file=sys.stderr)
    return 5 if any(line.result == FAILED for line in lines) else 0


def _token(options: argparse.Namespace) -> str:
    """Return the token of the person at the keyboard; it is not shown, and in no list of processes."""
    if given := os.environ.get(TOKEN):
        return given
    if options.token_stdin:
        return sys.stdin.read(LONGEST).strip()
    if not sys.stdin.isatty():
        return ""
    print(f"Make a token on the page of {options.url}; nothing to see what is open to everybody", file=sys.stderr)
    return getpass.getpass("Token: ").strip()


def _taken(
    server: CondaStore, store: AnyStore, found: Sequence[CondaStoreEnvironment], options: argparse.Namespace
) -> Iterator[Line]:
    places = {each: (options.into or suggest_name(each.namespace), suggest_name(each.name)) for each in found}
    counts = Counter("/".join(place).lower() for place in places.values())
    for environment, (space, name) in places.items():
        target = f"{space}/{name}"
        if counts[target.lower()] > 1:
            words = "several would be called so; take one by its name, with --into for another namespace"
            yield Line(str(environment), target, FAILED, words)
            continue
        try:
            if environment.build_id is None:
                yield Line(str(environment), target, FAILED, "it has no build")
                continue
            build = server.build(environment.build_id)
            if options.specifications and not options.dry_run:
                _write(Path(options.specifications), environment, build.specification)
            here = find_environment(store, space, name)
            if here is not None and here["active"]:
                yield Line(str(environment), target, THERE)
                continue
            lock = server.lockfile(build)
            if options.dry_run:
                yield Line(str(environment), target, WOULD, "" if lock else "no lockfile: it would be solved anew")
                continue
            specification = _specification(store, environment, build.specification, lock)
            yield _build(store, environment, (space, name), specification, bool(lock), here is None)
        except EnvStoreError as error:
            yield Line(str(environment), target, FAILED, str(error))


def _specification(
    store: AnyStore, environment: CondaStoreEnvironment, spec: dict[str, Any], lock: str | None
) -> Specification:
    """Return what is built: the lock, else what was asked for.

    Raises
    ------
    SpecificationError
        It cannot be read.
    """
    what, local = f"the lockfile of {environment}", store.allow_local_files
    if lock is None:
        text = environment_file(spec)
        return read_specification(text, f"the specification of {environment}", local, named=True)
    if "@EXPLICIT" in lock[:10_000]:  # of conda-store before conda-lock
        lock = repair(lock.encode(), "explicit.txt", store.settings.near(None)["defaults_channel"]).text
    if variables := spec.get("variables"):
        lock = _with_variables(lock, variables)
    read = read_specification(lock, what, local, named=True)
    return replace(read, description=environment.description) if environment.description else read


def _with_variables(lock: str, variables: object) -> str:
    """Return a lockfile with variables, where its reader looks for them: conda-lock itself has none."""
    import yaml

    try:
        found = yaml.load(lock, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
        metadata = found["metadata"]
        custom = metadata.get("custom_metadata") or {}
        metadata["custom_metadata"] = {**custom, "variables": json.dumps(variables)}
    except (yaml.YAMLError, LookupError, TypeError, AttributeError):
        return lock  # whoever reads it says what is wrong with it
    return yaml.safe_dump(found, sort_keys=False, allow_unicode=True)


def environment_file(spec: dict[str, Any]) -> str:
    """Return a specification of conda-store as the text of an ``environment.yml``; a lockfile as its own."""
    import yaml

    if isinstance(lock := spec.get("lockfile"), dict):
        return yaml.safe_dump(lock, sort_keys=False, allow_unicode=True)
    kept = {key: spec[key] for key in KEYS if spec.get(key)}
    return yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)


def _build(
    store: AnyStore,
    environment: CondaStoreEnvironment,
    place: tuple[str, str],
    specification: Specification,
    is_locked: bool,
    is_new: bool,
) -> Line:
    reference = store.builds.submit(specification, *place, who(), "from conda-store", is_new=is_new)
    print(f"building {reference}", file=sys.stderr)
    view = wait(store, reference.id, LiveDisplay())
    if view["status"] != COMPLETED:
        return Line(str(environment), str(reference), FAILED, view["reason"] or str(view["status"]))
    return Line(
        str(environment), str(reference), TAKEN if is_locked else SOLVED, "" if is_locked else "it had no lockfile"
    )


def _write(folder: Path, environment: CondaStoreEnvironment, spec: dict[str, Any]) -> None:
    """Write the specification of an environment into a folder.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    path = folder / suggest_name(environment.namespace) / f"{suggest_name(environment.name)}.yml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, environment_file(spec))
    except OSError as error:
        msg = f"{path} cannot be written (--specifications): {error.strerror}"
        raise StorageError(msg) from None
