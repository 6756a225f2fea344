"""Commands for notebooks that remember their environment."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_envstore.cli.build import follow, outcome, owner
from jupyter_envstore.cli.common import ask_for_files, deleted_message, find, tell, who
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.database.active_build import ActiveBuild
from jupyter_envstore.database.recorded_builds import NOTEBOOK
from jupyter_envstore.errors import (
    InvalidInputError,
    NotExactError,
    NotFoundError,
    PolicyError,
    SpecificationError,
    StorageError,
    UnknownPlacesError,
)
from jupyter_envstore.kernels.own_kernels import write_own_kernels
from jupyter_envstore.notebooks.bond import Bond
from jupyter_envstore.notebooks.bond_state import BondState, FoundBuild
from jupyter_envstore.notebooks.execution import (
    Execution,
    check_output,
    execute,
    language_of_notebook,
    read_notebook,
    write_notebook,
)
from jupyter_envstore.notebooks.lockfile_beside import is_told, lacks, lockfile_beside
from jupyter_envstore.notebooks.parameters import inject, read_parameter
from jupyter_envstore.services.common_interfaces import AnyStore
from jupyter_envstore.services.values import BuildRef
from jupyter_envstore.spec import Specification, read_specification
from jupyter_envstore.spec.wording import counted

BOND = "envstore"


def run_notebook(options: argparse.Namespace) -> int:
    """Run a notebook in the environment that it was written in."""
    notebook = read_notebook(options.notebook)
    values = dict(read_parameter(text) for text in options.parameter or ())
    if options.output:
        check_output(options.output)
    with open_store(options) as store, tempfile.TemporaryDirectory(prefix="es-kernel-") as kernels:
        if options.environment:
            reference = find(store, options.environment)
            _restore(store, reference)
        else:
            reference = bring_back(store, notebook, options.notebook, options.exact, options.accept or ())
        kernel = kernel_for(notebook, kernels_of(store, reference, Path(kernels)), reference)
        inject(notebook, values, kernel[1])
        bond = store.bonds.of_build(reference.id, lock=has_lock(notebook))
        folder = Path(options.notebook).resolve().parent if options.notebook != "-" else Path.cwd()
        execution = Execution(Path(kernels), kernel[0], folder, options.timeout, options.allow_errors, _report)
        print(f"running {options.notebook} in {reference}", file=sys.stderr)
        try:
            execute(notebook, execution)
        finally:
            remember(notebook, bond, kernel, reference)
            if options.output:
                write_notebook(notebook, options.output)
    failed = sum(output.get("output_type") == "error" for cell in notebook.cells for output in cell.get("outputs", ()))
    count = sum(cell.cell_type == "code" for cell in notebook.cells)
    if options.output != "-":
        told = {"environment": str(reference), "cells": count, "failed": failed, "output": options.output or None}
        words = f"{counted(count, 'cell')} ran in {reference}" + (f", {failed} failed" if failed else "")
        tell(options, told, f"{words}: {options.output}" if options.output else words)
    return 0


def remembered(notebook: Any, name: str) -> object:
    """Return what a notebook remembers of its environment, as it has it.

    Raises
    ------
    InvalidInputError
        It remembers nothing, or is no notebook (None).
    """
    metadata = None if notebook is None else notebook.metadata.get(BOND)
    if metadata is None:
        msg = f"{name} remembers no environment; name one with --environment NAMESPACE/NAME"
        raise InvalidInputError(msg)
    return metadata


def written_in(bond: Bond) -> str:
    """Return the build that a notebook was written in, as people name it."""
    return f"{bond['namespace']}/{bond['environment']}:{bond['build']}"


def reference_of(found: FoundBuild) -> BuildRef:
    """Return a build that was found for a notebook."""
    return BuildRef(found["namespace"], found["environment"], found["number"], found["build_id"])


def bring_back(
    store: AnyStore, notebook: Any, name: str, exact: bool, accepted: list[str] | tuple[str, ...]
) -> BuildRef:
    """Return a build that a notebook can run in, made if need be: the exact one, else from what it asked for.

    Raises
    ------
    InvalidInputError
        The notebook remembers no environment.
    NotExactError
        The exact build cannot be had, and ``exact`` asks for it or there is no other way.
    BuildFailedError, BuildCanceledError
        It could not be built.
    """
    metadata = remembered(notebook, name)
    state = store.bonds.look(owner(), metadata)
    bond = state["bond"]
    written = written_in(bond)
    if state["builds"]:
        here = state["builds"][0]
        reference = reference_of(here)
        _restore(store, reference)
        return reference
    if state["deleted"]:
        place = f"{bond['namespace']}/{bond['environment']}"
        raise NotFoundError(deleted_message(place))
    if not state["lock"] or state["lock"]["damaged"]:
        metadata, state = _with_lock_from_elsewhere(store, metadata, state)
    why = _why_not_exact(state, exact)
    target = (state["namespace"], state["environment"])
    lock = state["lock"]
    if lock and not why:
        if lock["sources"]:
            print(f"note: built from source again: {', '.join(lock['sources'])[:200]}", file=sys.stderr)
        with asking("the lock"):
            reference = store.bonds.build_lock(metadata, target, who(), accepted)
    elif exact:
        msg = f"{written} cannot be had exactly: {why}"
        raise NotExactError(msg)
    elif beside := _from_lockfile(store, name, bond, target):
        print(f"note: {written} cannot be had exactly: {why}; building from {beside[0]}", file=sys.stderr)
        with asking(beside[0]):
            reference = store.builds.submit(beside[1], *target, who(), NOTEBOOK, is_new=True, accepted=accepted)
    elif not state["specification"]:
        msg = f"{written} cannot be had: {why}, and the notebook does not tell what it asked for"
        raise NotExactError(msg)
    elif state["asked"]:
        reference = reference_of(state["asked"])
        words = f"{reference} was made from what it asked for"
        print(f"note: {written} cannot be had exactly: {why}; {words}", file=sys.stderr)
        _restore(store, reference)
        return reference
    else:
        print(f"note: {written} cannot be had exactly: {why}; building from what it asked for", file=sys.stderr)
        if left_out := bond.get("left_out", 0):
            words = f"the notebook lacks {counted(left_out, 'line')} of that"
            print(f"note: {words}: a path of the machine, or too much for a notebook", file=sys.stderr)
        specification = read_specification(state["specification"], "what the notebook asked for", named=True)
        with asking("what the notebook asked for"):
            reference = store.builds.submit(specification, *target, who(), NOTEBOOK, is_new=True, accepted=accepted)
    print(f"building {reference}", file=sys.stderr)
    outcome(follow(store, reference))
    return reference


def _with_lock_from_elsewhere(store: AnyStore, metadata: object, state: BondState) -> tuple[object, BondState]:
    """Return the bond of a notebook with the lock that a store elsewhere has, if one does, and what is known then."""
    try:
        elsewhere = store.other_stores.find(owner(), metadata)
    except StorageError as error:
        print(f"note: other stores are not asked: {error}", file=sys.stderr)
        return metadata, state
    for failure in elsewhere.failed:
        print(f"note: not found in {failure['store']}: {failure['reason']}", file=sys.stderr)
    found = elsewhere.answer
    if found is None:
        return metadata, state
    print(f"found in {found.store} as {found.namespace}/{found.environment}:{found.number}", file=sys.stderr)
    return elsewhere.bond, store.bonds.look(owner(), elsewhere.bond)


def _restore(store: AnyStore, reference: BuildRef) -> None:
    """Bring a build back, if it was packed away."""
    if ask_for_files(store, reference):
        print(f"bringing {reference} back", file=sys.stderr)
        follow(store, reference)


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Name the options that accept the addresses which the settings do not name."""
    try:
        yield
    except UnknownPlacesError as error:
        options = " ".join(f"--accept {place}" for place in error.places)
        msg = f"{what} takes packages from addresses that no setting names; if you trust them, give {options}"
        raise PolicyError(msg) from None


def _from_lockfile(store: AnyStore, name: str, bond: Bond, target: tuple[str, str]) -> tuple[str, Specification] | None:
    """Return the lockfile beside a notebook, its name first, if it has all that the notebook asked for.

    One that cannot be built in ``target``, as the settings forbid something in it, is passed over, too.
    """
    path = lockfile_beside(Path(name).resolve()) if name != "-" else None
    if path is None:
        return None
    if not is_told(bond) and path.name.startswith("conda-lock."):
        print(f"note: {path.name} is passed over: the notebook does not tell all that it asked for", file=sys.stderr)
        return None
    try:
        specification = read_specification(path.read_bytes(), path.name, store.allow_local_files, named=True)
        store.builds.check(specification, *target)
    except (SpecificationError, PolicyError, OSError) as error:
        print(f"note: {path.name} cannot be used: {error}", file=sys.stderr)
        return None
    missing = lacks(specification, bond)
    if missing:
        print(f"note: {path.name} does not have {', '.join(missing)[:200]}", file=sys.stderr)
    return None if missing else (path.name, specification)


def _why_not_exact(state: BondState, exact: bool) -> str:
    """Return why the lock in a notebook does not do; with ``exact``, it does not if it builds something anew."""
    lock = state["lock"]
    if lock is None:
        here = state["named"]
        is_namesake = here is not None and here["number"] == state["bond"]["build"]
        namesake = f" (its {reference_of(here)} is another one)" if here and is_namesake else ""
        return f"this store does not have the build{namesake}, and the notebook does not contain its lock"
    if lock["refused"]:
        return lock["refused"]
    if exact and lock["sources"]:
        return f"it is built from source again: {', '.join(lock['sources'])[:200]}"
    return ""


def kernels_of(store: AnyStore, reference: BuildRef, folder: Path) -> dict[str, str]:
    """Write the kernelspecs of a build into a folder; return their names with their languages."""
    prefix = store.prefixes.path(reference.id)
    active = is_active(store, reference)
    row = ActiveBuild(0, reference.namespace, reference.name, reference.id, reference.number, prefix.name, True, active)
    return write_own_kernels(folder, prefix, row, store.shims)


def is_active(store: AnyStore, reference: BuildRef) -> bool:
    """Whether a build is the active one of its environment."""
    return store.builds.find(reference.namespace, reference.name).id == reference.id


def kernel_for(notebook: Any, languages: dict[str, str], reference: BuildRef) -> tuple[str, str]:
    """Return name and language of the kernel of a build that speaks the notebook's language."""
    wanted = language_of_notebook(notebook)
    fitting = [name for name, language in languages.items() if language.lower() == wanted or not wanted]
    if not fitting:
        spoken = ", ".join(sorted(set(languages.values()))) or "no language: no package in it brings a kernel"
        msg = f"{reference} speaks {spoken}" + (f", and the notebook {wanted}" if languages else "; add ipykernel")
        raise InvalidInputError(msg)
    return fitting[0], languages[fitting[0]]


def has_lock(notebook: Any) -> bool:
    """Whether a notebook holds its lock."""
    bond = notebook.metadata.get(BOND)
    return isinstance(bond, Mapping) and bool(bond.get("lock"))


def remember(notebook: Any, bond: object, kernel: tuple[str, str], reference: BuildRef) -> None:
    """Write into the notebook what it remembers, and the kernel of a build."""
    notebook.metadata[BOND] = bond
    name, language = kernel
    notebook.metadata["kernelspec"] = {
        "name": name,
        "display_name": f"{language} ({reference.namespace}/{reference.name})",
        "language": language.lower(),
    }


def _report(number: int, count: int) -> None:
    print(f"cell {number} of {count}", file=sys.stderr)
