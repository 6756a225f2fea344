"""Whether packages that are installed satisfy what was asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from jupyter_envstore.spec.package_editing import conda_name
from jupyter_envstore.spec.pip_lines import read_hashed


class InstalledPackage(NamedTuple):
    """A package of a build; ``manager`` is ``conda`` or ``pip``, ``build`` is empty for the latter."""

    manager: str
    name: str
    version: str
    build: str


class Requests:
    """What was asked for, to be compared with the packages of many builds.

    Parameters
    ----------
    conda : sequence of str
        Match specs; their channels do not count.
    pip : sequence of str
        Requirements (PEP 508). A package of conda with the same name satisfies one, too.

    Raises
    ------
    ValueError
        One of them cannot be read.
    """

    def __init__(self, conda: Sequence[str], pip: Sequence[str]) -> None:
        import rattler

        self._conda = {spec: rattler.MatchSpec(spec.rpartition("::")[2]) for spec in conda}
        self._pip = {line: read_hashed(line).requirement for line in pip}
        self._names = {spec: conda_name(spec) for spec in conda}

    @property
    def names(self) -> set[str]:
        """The names of all packages that are asked for, as conda and PyPI may write them."""
        pip = {requirement.name.lower() for requirement in self._pip.values()}
        return {*self._names.values(), *pip, *(canonicalize_name(name) for name in pip)}

    def unmet(self, packages: Collection[InstalledPackage]) -> list[str]:
        """Return the requests that packages do not satisfy, in the order in which they were given."""
        conda = {package.name: package for package in packages if package.manager == "conda"}
        versions = {canonicalize_name(package.name): package.version for package in packages}
        found = [spec for spec in self._conda if not self._is_met(spec, conda.get(self._names[spec]))]
        return found + [line for line, wanted in self._pip.items() if not _has(versions, wanted)]

    def _is_met(self, spec: str, package: InstalledPackage | None) -> bool:
        import rattler
        from rattler.exceptions import InvalidVersionError

        if package is None:
            return False
        build = rattler.BuildString(package.build)
        try:
            record = rattler.PackageRecord(package.name, package.version, build, 0, "noarch")
        except InvalidVersionError:  # nothing of conda's, but a lockfile may have any text
            return False
        return bool(self._conda[spec].matches(record))


def _has(versions: Mapping[NormalizedName, str], wanted: Requirement) -> bool:
    if wanted.marker is not None and not _is_for_this_machine(wanted.marker):
        return True
    version = versions.get(canonicalize_name(wanted.name))
    if version is None:
        return False
    try:
        return wanted.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:  # conda's versions may be others
        return not wanted.specifier


def _is_for_this_machine(marker: Marker) -> bool:
    try:
        return marker.evaluate({"extra": ""})
    except (UndefinedComparison, UndefinedEnvironmentName, TypeError):
        return True  # it compares what cannot be compared, as in os_name ~= 'linux'
