"""Command that sends environments with their history to a store elsewhere."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_envstore.application.configuration import read_files
from jupyter_envstore.cli.common import who
from jupyter_envstore.cli.moving import FAILED, THERE, Line, tell_lines
from jupyter_envstore.cli.opening import elsewhere, open_store
from jupyter_envstore.cli.selection import chosen
from jupyter_envstore.database.states import COMPLETED
from jupyter_envstore.errors import (
    ConflictError,
    EnvStoreError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    UnknownPlacesError,
)
from jupyter_envstore.remote.logins import store_address
from jupyter_envstore.services.common_interfaces import AnyStore
from jupyter_envstore.services.moved_origin import moved_from
from jupyter_envstore.services.store import OWN_NAMESPACE
from jupyter_envstore.services.values import MovedBuild
from jupyter_envstore.spec.names import check_name

if TYPE_CHECKING:
    from jupyter_envstore.representation.builds import BuildView
    from jupyter_envstore.representation.environments import EnvironmentView

SENT, WOULD, LEFT_OUT = "sent", "would send", "left out"


def push_to(options: argparse.Namespace) -> int:
    """Send environments; a line for each build."""
    if options.into:
        check_name("namespace", options.into)
    url = store_address(options.url)
    if options.store and store_address(options.store) == url:
        msg = f"environments of {url} cannot be sent to itself"
        raise InvalidInputError(msg)
    with open_store(options, is_source=True) as store:
        target = elsewhere(read_files(), url)
        try:
            lines = tell_lines(_sent(store, target, options), options)
        finally:
            target.close()
    counts = {result: sum(line.result == result for line in lines) for result in (SENT, WOULD, THERE, LEFT_OUT, FAILED)}
    if not options.json:
        told = ", ".join(f"{count} {result}" for result, count in counts.items() if count)
        print(f"{url}: {told or 'there is nothing to send: the store has no such environment'}")
    return 5 if counts[FAILED] else 0


def _sent(store: AnyStore, target: AnyStore, options: argparse.Namespace) -> Iterator[Line]:
    """Send what the options name, and yield what became of it."""
    found = {f"{row['namespace']}/{row['name']}": row for row in store.environments.list_all()}
    for environment in chosen(found, options.environments):
        place = (options.into or _namespace_there(environment["namespace"], target), environment["name"])
        builds = store.builds.of_environment(environment["namespace"], environment["name"])
        sent = [build for build in reversed(builds) if build["active"] or not options.active_only]
        try:
            there = _records_there(store, target, environment, place, sent)
            once = _once(store, sent)
        except EnvStoreError as error:
            words = f"{error}; --into NAMESPACE sends it elsewhere" if _is_refused(error) else str(error)
            yield Line(f"{environment['namespace']}/{environment['name']}", "/".join(place), FAILED, words)
            continue
        for build in sent:
            yield _send(store, target, environment, build, place, options, there, once)


def _namespace_there(namespace: str, target: AnyStore) -> str:
    """Return where environments of a namespace belong in another store: those of a private one are one's own."""
    return target.own_namespace if namespace == OWN_NAMESPACE else namespace


def _records_there(
    store: AnyStore,
    target: AnyStore,
    environment: EnvironmentView,
    place: tuple[str, str],
    builds: Sequence[BuildView],
) -> set[str]:
    """Return the records that an environment of the other store has; none where it is not there.

    Raises
    ------
    ConflictError
        It is there, and has nothing to do with this one.
    """
    try:
        there = target.builds.of_environment(*place)
    except NotFoundError:
        return set()
    records = {_record(target, build["id"]) for build in there if build["status"] == COMPLETED}
    came = moved_from(environment["namespace"], environment["name"])
    is_same = any(build["trigger"].startswith(came) for build in there)
    is_same |= any(_record(store, build["id"]) in records for build in builds if build["status"] == COMPLETED)
    if there and not is_same:
        msg = f"there is another environment {'/'.join(place)} already; send it elsewhere with --into NAMESPACE"
        raise ConflictError(msg)
    return records


def _is_refused(error: EnvStoreError) -> bool:
    return isinstance(error, PermissionDeniedError)


def _record(store: AnyStore, build_id: int) -> str:
    return store.bonds.of_build(build_id)["record"]


@dataclass(frozen=True)
class _Once:
    """Builds with their records: of those with the same one, only one is sent.

    Parameters
    ----------
    records : dict
        The record of each build, by its id.
    chosen : dict
        The build that is sent for each record: the active one, else the first.
    """

    records: dict[int, str]
    chosen: dict[str, BuildView]


def _once(store: AnyStore, builds: Sequence[BuildView]) -> _Once:
    records = {build["id"]: _record(store, build["id"]) for build in builds if build["status"] == COMPLETED}
    chosen: dict[str, BuildView] = {}
    for build in builds:
        record = records.get(build["id"])
        if record is not None and (record not in chosen or build["active"]):
            chosen[record] = build
    return _Once(records, chosen)


def _send(
    store: AnyStore,
    target: AnyStore,
    environment: EnvironmentView,
    build: BuildView,
    place: tuple[str, str],
    options: argparse.Namespace,
    there: set[str],
    once: _Once,
) -> Line:
    """Send one build; return what became of it."""
    source, name = f"{environment['namespace']}/{environment['name']}:{build['number']}", "/".join(place)
    if build["status"] != COMPLETED:
        return Line(source, name, LEFT_OUT, f"it is {build['status']}")
    record = once.records[build["id"]]
    if (other := once.chosen[record])["id"] != build["id"]:
        return Line(source, name, LEFT_OUT, f"it is the same as build {other['number']}")
    if options.dry_run:
        result = THERE if record in there else WOULD
        return Line(source, name, result, "the active one" if build["active"] else "")
    try:
        bond = store.bonds.of_build(build["id"], lock=True)
        later = options.later or not build["active"]
        day = (build["ended_on"] or build["scheduled_on"])[:10]
        moved = MovedBuild(day, later, build["active"], store.builds.text(build["id"]))
        reference = target.moved_builds.add(bond, place, who(), options.accept or (), moved)
    except UnknownPlacesError as error:
        accept = " ".join(f"--accept {address}" for address in error.places)
        return Line(source, name, FAILED, f"its packages come from addresses that no setting there names: {accept}")
    except EnvStoreError as error:
        return Line(source, name, FAILED, str(error))
    words = "it is built there now" if reference.is_new and not later else ""
    return Line(source, str(reference), SENT if reference.is_new else THERE, words)
