"""Kernelspecs of built environments: each kernel that an active build brings, ready to start without conda.

``kernels/<id>`` is a link to ``kernelspecs/<environment>-<build>/<kernel>``, so that a switch to another build is one
rename: whoever starts a kernel finds the old one or the new one, and what runs goes on.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_envstore.builds.activation import programs_of, recorded_activation
from jupyter_envstore.builds.shims import write_shims
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.active_build import ActiveBuild
from jupyter_envstore.engine.kernel_checks import brought_kernels, is_taken, kernel_faults
from jupyter_envstore.engine.kernel_files import kernel_command
from jupyter_envstore.errors import ConflictError
from jupyter_envstore.kernels import logos
from jupyter_envstore.kernels.kernel_builds import KernelBuilds
from jupyter_envstore.kernels.spec_files import place_of, write_spec
from jupyter_envstore.policy.access import matches
from jupyter_envstore.spec.names import spell

FORMAT = 3
"""Goes up when what is written changes; older ones are written again then."""
log = logging.getLogger(__name__)
AGAIN = ""
"""The mark of a state that must be looked at again."""
NO_BUILD = "no build has completed yet"
NOT_OFFERED = "only a build that is ready, and not the active one, gets kernels of its own"
OWN_VARIABLES = ("ENVSTORE_URL", "ENVSTORE_TOKEN")
NO_KERNEL = "no package in it brings a kernel; add ipykernel (or r-irkernel, …), or set add_ipykernel"


@dataclass(frozen=True)
class KernelState:
    """The kernels of an environment by their ids, the languages that they speak, or why it has none."""

    ids: tuple[str, ...]
    reason: str = ""
    languages: tuple[str, ...] = ()

    @property
    def built(self) -> bool:
        """Whether a build has completed."""
        return self.reason != NO_BUILD


class KernelSpecs:
    """Writes kernelspecs and keeps them as the database says. Several servers may do so on one store.

    Parameters
    ----------
    config : StoreConfig
        Where they are written.
    builds : KernelBuilds
        Whose kernels they are.
    namespaces : sequence of str
        Only environments of these become kernels (``*`` in a name stands for any characters); empty for all.
    user_directory : Path or None
        A folder of kernelspecs outside the store, where links to ours are kept for everything that the user runs.
    """

    def __init__(
        self,
        config: StoreConfig,
        builds: KernelBuilds,
        namespaces: Sequence[str] = (),
        user_directory: Path | None = None,
    ) -> None:
        self.config = config
        self._builds = builds
        self.namespaces = tuple(namespaces)
        self.user_directory = user_directory
        self.directory = config.kernels_of(self.namespaces)
        self.specs = config.root / "kernelspecs"
        self.shims = config.shims
        self.offered = _offers_of(config)
        self._states: dict[int, tuple[str, KernelState]] = {}
        self._lock = threading.Lock()
        self._first = True
        self._brought: dict[tuple[int, int, int], tuple[str, str]] = {}
        self._pictures: dict[tuple[int, int, int], str] = {}

    def state(self, environment_id: int) -> KernelState:
        """Return the kernels of an environment, as of the last :meth:`sync`."""
        found = self._states.get(environment_id)
        return found[1] if found else KernelState((), NO_BUILD)

    def offer(self, build_id: int) -> tuple[str, ...]:
        """Let a build that is not active have kernels of its own, until it is active, packed away or deleted.

        Raises
        ------
        ConflictError
            It is active or not there, packed away, or brings no kernel.
        """
        _, found = self._builds.find([build_id])
        if not found or not (found[0].present or self._builds.brings_others):
            msg = "it is packed away; restore it first" if found and found[0].directory else NOT_OFFERED
            raise ConflictError(msg)
        note_offer(self.config, build_id)
        self.sync()
        state = self.state(-build_id)
        if not state.ids:
            (self.offered / str(build_id)).unlink(missing_ok=True)
            raise ConflictError(state.reason)
        return state.ids

    def offered_builds(self) -> list[int]:
        """Return the builds that were offered beside the active ones."""
        paths = self.offered.iterdir() if self.offered.is_dir() else ()
        return [int(path.name) for path in paths if path.name.isdigit()]

    def make_folders(self) -> None:
        """Make the folder of the kernelspecs, which a server reads before the first of them is written."""
        self.directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.mkdir(mode=0o700, exist_ok=True)

    def sync(self) -> None:
        """Write what is new, remove what is gone."""
        with self._lock:
            self.make_folders()
            self.specs.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_shims(self.shims)
            offered = self.offered_builds()
            active, others = self._builds.find(offered)
            others = [row for row in others if row.present or self._builds.brings_others]
            for build_id in set(offered) - {row.build_id for row in others}:  # active, packed away or deleted since
                (self.offered / str(build_id)).unlink(missing_ok=True)
            states: dict[int, tuple[str, KernelState]] = {}
            self._brought, self._pictures = {}, {}
            for key, row in [
                *((row.environment_id, row) for row in active),
                *((-(row.build_id or 0), row) for row in others),
            ]:
                known = self._states.get(key)
                mark = f"{row.directory}-{row.present}-{self._builds.kind(row)}"
                if known and known[0] == mark and all((self.directory / name).exists() for name in known[1].ids):
                    states[key] = known
                    continue
                try:
                    states[key] = (mark, self._state_of(row))
                except Exception:  # what one package brings must not take the others' kernels away
                    log.exception("the kernels of %s/%s cannot be written", row.namespace, row.name)
                    states[key] = (AGAIN, KernelState((), "its kernels cannot be written; see the log"))
                if "cannot be written" in states[key][1].reason:
                    states[key] = (AGAIN, states[key][1])
            changed = states != self._states or self._first
            self._states, self._first = states, False
            if changed:
                used = {self._folder_name(row) for row in (*active, *others) if row.directory}
                self._remove_others(used)

    def _state_of(self, row: ActiveBuild) -> KernelState:
        if self.namespaces and not any(matches(name, row.namespace) for name in self.namespaces):
            return KernelState((), f"environments of {row.namespace} are not offered as kernels on this server")
        if row.directory is None:
            return KernelState((), NO_BUILD)
        prefix = self.config.builds / row.directory
        folder = self.specs / self._folder_name(row)
        languages: dict[str, str] = {}
        if not folder.is_dir():
            try:
                languages = self._write(row, prefix, folder) if row.present else self._write_late(row, folder)
            except OSError as error:
                return KernelState((), f"its kernelspecs cannot be written: {error.strerror}")
        names = sorted(path.name for path in folder.iterdir())
        for name in names:
            _link(self.directory / name, folder / name)
            if self.user_directory is not None:
                self.user_directory.mkdir(parents=True, exist_ok=True)
                _link(self.user_directory / name, folder / name)
            if name not in languages:
                languages[name] = _language(folder / name / "kernel.json")
        spoken = sorted({languages[name] for name in names} - {""})
        why = "" if names else _why_none(prefix) if row.present else self._builds.why_none
        return KernelState(tuple(names), why, tuple(spoken))

    def _folder_name(self, row: ActiveBuild) -> str:
        """Return the name of the folder with a build's kernelspecs."""
        kind = ("" if row.present else "-late") + ("" if row.active else "-other")
        return f"{row.environment_id}-{row.build_id}-{FORMAT}{kind}{self._builds.kind(row)}"

    def _write_late(self, row: ActiveBuild, folder: Path) -> dict[str, str]:
        """Write the kernelspecs of a build that is not on the disk; return their ids and languages."""
        languages: dict[str, str] = {}
        with self._published(folder) as staging:
            for name, spec in self._builds.late(row).items():
                target = staging / kernel_id(row.namespace, row.name, name, None if row.active else row.number)
                target.mkdir()
                write_spec(target, spec)
                languages[target.name] = language_of(spec)
                logo = logos.logo(row.namespace, row.name, "", languages[target.name])
                (target / logos.FILE).write_text(logo, encoding="ascii")
        return languages

    @contextlib.contextmanager
    def _published(self, folder: Path) -> Iterator[Path]:
        """Give a folder to write into; it is renamed to ``folder`` at the end, unless another server was first."""
        staging = self.specs / f".{uuid.uuid4().hex}"
        staging.mkdir()
        try:
            yield staging
            with contextlib.suppress(OSError):
                staging.rename(folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _write(self, row: ActiveBuild, prefix: Path, folder: Path) -> dict[str, str]:
        """Write the kernelspecs of a build; return their ids and languages."""
        languages: dict[str, str] = {}
        with self._published(folder) as staging:
            for kernel in brought_kernels(prefix, programs_of(prefix)):
                if kernel.spec is None:
                    continue
                source = kernel.source.parent
                spec = kernel_spec(kernel.spec, source, prefix, row, self.shims)
                number = None if row.active else row.number
                target = staging / kernel_id(row.namespace, row.name, kernel.name, number)
                target.mkdir()
                pictures = self._take_files(source, target, folder / target.name, os.path.realpath(prefix))
                write_spec(target, spec)
                languages[target.name] = language_of(spec)
                logo = logos.logo(row.namespace, row.name, self._picture(pictures), languages[target.name])
                (target / logos.FILE).write_text(logo, encoding="ascii")
        return languages

    def _take_files(self, source: Path, target: Path, published: Path, inside: str) -> dict[str, Path]:
        """Put what a package brought beside its ``kernel.json`` into ``target``; return its logos, as they lie there.

        Environments mostly bring the same: all but the first copy of a file are links to it, since a new file costs
        many times what a link does. No link leads into a prefix or the package cache: links tell how much they share.
        A link that leads out of the prefix, which is ``inside``, is not followed: what it leads to is not a package's.
        """
        with os.scandir(source) as entries:
            found = [entry for entry in entries if entry.name != "kernel.json" and is_taken(entry, inside)]
        for entry in found:
            if entry.name == logos.FILE:
                continue  # each environment has its own
            about, place = entry.stat(), target / entry.name
            mark = (about.st_dev, about.st_ino, about.st_mtime_ns)
            for known in self._brought.get(mark, ()):
                with contextlib.suppress(OSError):  # it was moved, is gone, or has as many links as a file may have
                    os.link(known, place)
                    break
            else:
                shutil.copyfile(entry.path, place)
                self._brought[mark] = (str(published / entry.name), str(place))
        return {entry.name: Path(entry.path) for entry in found if entry.name in logos.BROUGHT}

    def _picture(self, pictures: Mapping[str, Path]) -> str:
        """Return the best of the logos that a package brought; environments mostly bring the same."""
        for path in [pictures[name] for name in logos.BROUGHT if name in pictures]:
            about = path.stat()
            mark = (about.st_dev, about.st_ino, about.st_mtime_ns)
            if mark not in self._pictures:
                self._pictures[mark] = logos.picture_of(path)
            if self._pictures[mark]:
                return self._pictures[mark]
        return ""

    def _remove_others(self, used: set[str]) -> None:
        """Remove links and folders of environments and builds that are not active any more."""
        wanted = {name for _, state in self._states.values() for name in state.ids}
        for folder in (self.directory, self.user_directory):
            if folder is None or not folder.is_dir():
                continue
            for link in folder.iterdir():
                ours = link.is_symlink() and self.specs in link.readlink().parents
                if ours and link.name not in wanted:
                    link.unlink(missing_ok=True)
        for path in self.specs.iterdir():
            if path.name not in used and not path.name.startswith("."):
                shutil.rmtree(path, ignore_errors=True)


def note_offer(config: StoreConfig, build_id: int) -> None:
    """Let a build that is not active have kernels of its own from the next :meth:`KernelSpecs.sync` on."""
    _offers_of(config).mkdir(mode=0o700, exist_ok=True)
    (_offers_of(config) / str(build_id)).touch()


def _offers_of(config: StoreConfig) -> Path:
    """Return the folder with a file for each build that is offered beside the active ones."""
    return config.root / "offered-builds"


def _language(path: Path) -> str:
    """Return the language of a kernelspec that was written here."""
    try:
        return language_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):  # somebody else wrote into it
        return ""


def _why_none(prefix: Path) -> str:
    """Return why a prefix has no kernel."""
    faults = [fault.message for fault in kernel_faults(prefix, programs_of(prefix))]
    return "; ".join(faults[:3]) if faults else NO_KERNEL


def kernel_id(namespace: str, name: str, kernel: str = "python3", number: int | None = None) -> str:
    """Return the id of a kernel: the same for all builds of an environment, and no other's.

    With ``number``, it is that of this one build. It matches ``[a-z0-9._-]+``, as Jupyter asks. ``--`` stands in no
    spelled name.
    """
    own = f"envstore-{spell(namespace)}--{spell(name)}"
    if number is not None:
        return f"{own}--{spell(kernel)}--build-{number}"
    return own if kernel == "python3" else f"{own}--{spell(kernel)}"


def language_of(spec: dict[str, Any] | None) -> str:
    """Return the language of a kernelspec, written as people write it; empty where it does not say."""
    language = str((spec or {}).get("language") or "")
    return language if language != language.lower() else language[:1].upper() + language[1:]


def kernel_spec(spec: dict[str, Any], folder: Path, prefix: Path, row: ActiveBuild, shims: Path) -> dict[str, Any]:
    """Return a kernelspec that starts from anywhere: absolute interpreter, activation in ``env``, a name that tells.

    Parameters
    ----------
    spec : dict
        What the package brought (``kernel.json``).
    folder : Path
        Where it lies.
    prefix : Path
        Prefix of the build.
    row : ActiveBuild
        Whose kernel it is.
    shims : Path
        A folder that is looked through behind the environment's own programs.
    """
    activation = {name: _literal(value) for name, value in recorded_activation(prefix).items()}
    activation["PATH"] = activation.get("PATH", "$${PATH}").replace("$${PATH}", f"{shims}:${{PATH}}")
    variables = {name: value for name, value in (activation | spec.get("env", {})).items() if name not in OWN_VARIABLES}
    if "PYTHONPATH" in variables:  # it would hide what the server adds: the client for notebooks
        variables["PYTHONPATH"] += f":{shims.parent / 'client'}"
    label = "Python" if folder.name == "python3" else str(spec.get("display_name") or folder.name)
    return {
        **spec,
        "argv": kernel_command(spec, folder, prefix),
        "display_name": f"{label} ({row.namespace}/{row.name}{'' if row.active else f', build {row.number}'})",
        "env": {**variables, "PYTHONNOUSERSITE": "1", "VIRTUAL_ENV": ""},
        "metadata": {
            **spec.get("metadata", {}),
            "envstore": place_of(row),
        },
    }


def _literal(value: str) -> str:
    """Return a value that Jupyter leaves as it is: it replaces ``${NAME}``, which only ``PATH`` shall have."""
    return value.replace("$", "$$")


def _link(link: Path, target: Path) -> None:
    """Let ``link`` lead to ``target``; a switch from another target is one rename. Somebody's own folder stays."""
    try:
        if link.readlink() == target:
            return
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):  # another server was first
            link.symlink_to(target)
            return
    except OSError:  # no link
        return
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    try:
        fresh.replace(link)
    except OSError:
        fresh.unlink(missing_ok=True)
