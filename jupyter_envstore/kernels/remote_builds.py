"""Builds of a store elsewhere, as kernels of this server: in place where its files are mounted, else brought."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_envstore.database.active_build import ActiveBuild
from jupyter_envstore.errors import InvalidInputError, NotFoundError
from jupyter_envstore.kernels.spec_files import place_of
from jupyter_envstore.remote.brought import DIGEST, BroughtEnvironments
from jupyter_envstore.remote.client_configuration import FILE
from jupyter_envstore.remote.kernel_build import mounted_prefix
from jupyter_envstore.spec.names import check_name

if TYPE_CHECKING:
    from jupyter_envstore.remote.kernel_build import KernelBuild

STARTER = "jupyter_envstore.cli.remote_kernel"
"""The module that brings the environment, unless it is there, and then becomes its kernel."""
HERE = "-here"


class RemoteBuilds:
    """The builds that a store elsewhere told of.

    Parameters
    ----------
    root : Path
        Folder with the configuration that kernels bring environments with.
    brought : BroughtEnvironments
        Those that are there.
    """

    brings_others = True
    why_none = "no package in it is known to bring a kernel; add ipykernel (or r-irkernel)"

    def __init__(self, root: Path, brought: BroughtEnvironments) -> None:
        self._root = root
        self._brought = brought
        self._told: dict[int, KernelBuild] = {}
        self.is_known = False
        """Whether the store has told of all environments once."""
        self._others: dict[int, KernelBuild] = {}

    def set(self, told: Iterable[KernelBuild], environments: Iterable[int] | None = None) -> int:
        """Take over what the store told; return of how many builds it told what no store does: these are left out.

        Parameters
        ----------
        environments : iterable of int or None
            Ids of the environments that it was asked for: those that it did not tell of are gone. None for all.
        """
        found, strange = {}, 0
        for row in told:
            try:
                found[row["environment_id"]] = _checked(row)
            except (InvalidInputError, LookupError, TypeError, ValueError, AttributeError):
                strange += 1
        if environments is None:
            self._told, self.is_known = found, True
        else:
            gone = set(environments) - found.keys()
            self._told = {key: row for key, row in (self._told | found).items() if key not in gone}
        return strange

    def set_others(self, told: Iterable[KernelBuild], keep: bool = False) -> None:
        """Take over what the store told of single builds, which need not be active.

        Parameters
        ----------
        keep : bool
            Whether those that are known stay known.
        """
        found = dict(self._others) if keep else {}
        for row in told:
            with contextlib.suppress(InvalidInputError, LookupError, TypeError, ValueError, AttributeError):
                found[row["build_id"]] = _checked(row)
        self._others = found

    def environment_of(self, build_id: int) -> int | None:
        """Return the id of the environment of a build that was told of by itself; None where none was."""
        row = self._others.get(build_id)
        return row["environment_id"] if row else None

    def find(self, others: Sequence[int]) -> tuple[list[ActiveBuild], list[ActiveBuild]]:
        """Return the active builds of all environments, and those of ``others`` (ids) that are known, not active."""
        active = {row["build_id"] for row in self._told.values()}
        named = [self._others[number] for number in others if number in self._others and number not in active]
        return [self._found(row) for row in self._told.values()], [self._found(row, False) for row in named]

    def kind(self, build: ActiveBuild) -> str:
        """Return whether the environment was brought."""
        row = self._row(build)
        return HERE if row and not build.present and self._brought.find(_digest(row)) else ""

    def late(self, build: ActiveBuild) -> Mapping[str, dict[str, Any]]:
        """Return the kernelspecs of a build, by the names that its packages give to the kernels."""
        row = self._row(build)
        if row is None:
            return {}
        found = self._brought.find(_digest(row))
        if found is not None:
            return {name: self._spec(row, build, name, spec, "") for name, spec in found.kernels.items()}
        return {
            kernel["name"]: self._spec(row, build, kernel["name"], {"language": kernel["language"]}, kernel["label"])
            for kernel in row["kernels"]
        }

    def record_of(self, environment_id: int) -> str:
        """Return the SHA-256 of the record of an environment's active build; empty where it is not known."""
        row = self._told.get(environment_id)
        return _digest(row) if row else ""

    def mounted(self) -> frozenset[int]:
        """Return the ids of the environments whose files are mounted from the store."""
        return frozenset(key for key, row in self._told.items() if self._found(row).present)

    def _row(self, build: ActiveBuild) -> KernelBuild | None:
        """Return what the store told of a build; None where it told nothing."""
        return self._told.get(build.environment_id) if build.active else self._others.get(build.build_id or 0)

    def arguments(self, environment_id: int) -> list[str]:
        """Return the arguments of the program that brings an environment, but for the kernel.

        Raises
        ------
        NotFoundError
            The store told of no active build of it.
        """
        row = self._told.get(environment_id)
        if row is None:
            msg = "the store tells of no build of this environment that could be brought"
            raise NotFoundError(msg)
        return self._arguments(row)

    def _arguments(self, row: KernelBuild) -> list[str]:
        reference = f"{row['namespace']}/{row['environment']}:{row['number']}"
        return ["-I", "-m", STARTER, str(self._root / FILE), _digest(row), reference, str(row["build_id"])]

    def _found(self, row: KernelBuild, active: bool = True) -> ActiveBuild:
        prefix = mounted_prefix(row)
        directory = row["record"] if prefix is None else str(prefix)
        return ActiveBuild(
            row["environment_id"], row["namespace"], row["environment"], row["build_id"], row["number"], directory,
            prefix is not None, active,
        )  # fmt: skip

    def _spec(
        self, row: KernelBuild, build: ActiveBuild, name: str, spec: Mapping[str, Any], label: str
    ) -> dict[str, Any]:
        place = f"{row['namespace']}/{row['environment']}" + ("" if build.active else f", build {row['number']}")
        found = {
            "argv": [sys.executable, *self._arguments(row), name, "{connection_file}"],
            "display_name": f"{label} ({place}, not here yet)",
            "metadata": {"envstore": place_of(build)},
        }  # fmt: skip
        kept = {key: spec[key] for key in ("display_name", "language", "interrupt_mode") if key in spec}
        if "display_name" in kept and not build.active:  # it was brought as its environment's only one
            kept["display_name"] = f"{str(kept['display_name']).partition(' (')[0]} ({place})"
        return {**found, **kept}


def _checked(row: KernelBuild) -> KernelBuild:
    """Return what a store told of a build, if it can be that: names become names of files and arguments.

    Raises
    ------
    InvalidInputError, LookupError, TypeError, ValueError
        It cannot.
    """
    check_name("namespace", row["namespace"])
    check_name("environment", row["environment"])
    numbers = (row["environment_id"], row["build_id"], row["number"])
    texts = [text for kernel in row["kernels"] for text in (kernel["name"], kernel["label"], kernel["language"])]
    prefix = row["prefix"]
    is_told = all(type(number) is int and number > 0 for number in numbers) and DIGEST.fullmatch(_digest(row))
    if not is_told or not all(isinstance(text, str) and text.isprintable() for text in (*texts, prefix or "")):
        msg = "it is no build"
        raise ValueError(msg)
    if prefix is not None and not Path(prefix).is_absolute():
        msg = "its prefix is no absolute path"
        raise ValueError(msg)
    return row


def _digest(row: KernelBuild) -> str:
    return row["record"].removeprefix("sha256:")
