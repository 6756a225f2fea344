"""Commands that use an environment: run, shell, download."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jupyter_envstore.artifacts.artifact_reach import WORDS
from jupyter_envstore.builds.activation import program_path, recorded_activation
from jupyter_envstore.builds.shims import write_shims
from jupyter_envstore.cli.common import ask_for_files, find, tell, wait, who
from jupyter_envstore.cli.display import LiveDisplay
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.database.states import COMPLETED
from jupyter_envstore.engine.digest import file_digest
from jupyter_envstore.errors import ArtifactError, ConflictError, InvalidInputError, StorageError
from jupyter_envstore.representation.artifacts import ArtifactView
from jupyter_envstore.services.common_interfaces import AnyStore
from jupyter_envstore.services.values import BuildRef

IMAGE = "docker"
OUTER_ENVIRONMENT = ("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT")


def activated_environment(prefix: Path, shims: Path) -> dict[str, str]:
    """Return this process's variables with those of the activation that the build recorded.

    ``shims`` is a folder that is looked through behind the environment's own programs. The virtual environment that
    this command may run in is named no more: uv installs into what ``VIRTUAL_ENV`` names.
    """
    with contextlib.suppress(OSError):  # a store on a full or read-only disk can be used all the same
        write_shims(shims)
    changed = recorded_activation(prefix)
    path = program_path(changed, f"{shims}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
    outer = {name: value for name, value in os.environ.items() if name not in OUTER_ENVIRONMENT}
    return {**outer, **changed, "PATH": path, "PYTHONNOUSERSITE": "1"}


def prefix_of(store: AnyStore, reference: BuildRef) -> Path:
    """Return the prefix of a build; one that is active, or in another folder of the store, is brought first.

    Raises
    ------
    ConflictError
        It is packed away, or it cannot be brought.
    """
    try:
        return store.prefixes.path(reference.id)
    except ConflictError:
        view = store.builds.show(reference.id)
        others = view["other_places"]
        if view["status"] != COMPLETED or not (others or view["active"]) or not view["packed_away"]:
            raise
        who_has = f", which {', '.join(others)} has" if others else ""
        print(f"bringing {reference} here{who_has}", file=sys.stderr)
        if ask_for_files(store, reference):  # its byte code and its check follow while it is used
            wait(store, reference.id, LiveDisplay(), until=lambda: not store.builds.show(reference.id)["packed_away"])
    return store.prefixes.path(reference.id)


def run(options: argparse.Namespace) -> int:
    """Run a command in an environment, in place of this process."""
    while options.command[:1] in (["--root"], ["--store"]):  # behind the name, argparse takes it for the command's own
        option, value, *options.command = options.command
        setattr(options, option.removeprefix("--"), value)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        msg = f"which command? for example: jupyter envstore run {options.environment} -- python"
        raise InvalidInputError(msg)
    with open_store(options) as store:
        prefix, shims = prefix_of(store, find(store, options.environment)), store.shims
    environment = activated_environment(prefix, shims)
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        msg = f"there is no command {command[0]!r} in {options.environment}, nor on PATH"
        raise InvalidInputError(msg)
    os.execve(program, command, environment)  # noqa: S606 - an argument list, no shell


def shell(options: argparse.Namespace) -> int:
    """Open a shell in an environment."""
    with open_store(options) as store:
        reference = find(store, options.environment)
        prefix, shims = prefix_of(store, reference), store.shims
    environment = activated_environment(prefix, shims)
    program = os.environ.get("SHELL") or shutil.which("sh") or "/bin/sh"
    environment["ENVSTORE_ENVIRONMENT"] = str(reference)
    print(f"shell in {reference}; leave it with exit", file=sys.stderr)
    os.execve(program, [program], environment)  # noqa: S606 - an argument list, no shell


def download(options: argparse.Namespace) -> int:
    """Write an artifact to a file."""
    with open_store(options) as store:
        reference = find(store, options.environment)
        wanted = (reference.id, options.artifact, options.variant)
        store.artifacts.request(*wanted, who())
        wait(store, reference.id, LiveDisplay())
        artifact = store.artifacts.find(*wanted)
        if artifact["state"] != "ready":
            msg = f"{options.artifact} of {reference} cannot be made: {artifact['reason']}"
            raise ArtifactError(msg)
        if words := WORDS[artifact["reach"]]:
            print(f"note: this {artifact['type']} {words}", file=sys.stderr)
        pieces = store.artifacts.pieces(*wanted)
        if options.output == "-":
            sys.stdout.buffer.writelines(pieces)
            return 0
        target = Path(options.output or artifact["file_name"])
        if target.is_dir():
            target /= artifact["file_name"]
        named = options.output is not None and not Path(options.output).is_dir()
        if target.exists() and not (named or options.force) and not _is_it(target, artifact):
            msg = f"{target} is there already, and is another file; name one with -o, or give --force"
            raise InvalidInputError(msg)
        _write(pieces, target, artifact)
    tell(options, {**artifact, "path": str(target)}, target)
    return 0


def _write(pieces: Iterator[bytes], target: Path, artifact: ArtifactView) -> None:
    """Write an artifact beside its place, check it, and put it there; nobody sees a part of it.

    Raises
    ------
    ArtifactError
        What arrived is not what was made.
    StorageError
        It cannot be written.
    """
    fresh = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:200]}.", suffix=".part", dir=target.parent)
        fresh = Path(name)
        with os.fdopen(handle, "wb") as file:
            written = 0
            for piece in pieces:
                written += len(piece)
                if artifact["type"] != IMAGE and written > artifact["size"]:
                    raise ArtifactError(_changed(artifact))
                file.write(piece)
        if (
            artifact["type"] != IMAGE and file_digest(fresh) != artifact["sha256"]
        ):  # of an image, clients check each part
            raise ArtifactError(_changed(artifact))
        is_program = artifact["media_type"] == "application/x-sh"
        fresh.chmod((0o777 if is_program else 0o666) & ~_umask())
        fresh.replace(target)
    except OSError as error:
        msg = f"{target} cannot be written: {error.strerror}"
        raise StorageError(msg) from None
    finally:
        if fresh is not None:
            fresh.unlink(missing_ok=True)


def _changed(artifact: ArtifactView) -> str:
    return f"what arrived is not the {artifact['type']} that was made; try again"


def _umask() -> int:
    """Return the mask of this process."""
    found = os.umask(0o077)
    os.umask(found)
    return found


def _is_it(target: Path, artifact: ArtifactView) -> bool:
    """Whether a file is the artifact already; of an image, which is written as one file each time, nobody knows."""
    return bool(artifact["type"] != IMAGE and file_digest(target) == artifact["sha256"])
