"""What environments were asked for, for tools that know PyPI alone."""

from __future__ import annotations

from dataclasses import replace

from jupyter_envstore.engine.distributions import distributions_of
from jupyter_envstore.notebooks.script_block import Requested, requested_from_pypi
from jupyter_envstore.services.bonds import Bonds
from jupyter_envstore.services.packages import Packages
from jupyter_envstore.services.prefixes import Prefixes
from jupyter_envstore.spec.wording import counted


class ScriptBlocks:
    """The script blocks (PEP 723) of builds."""

    def __init__(self, bonds: Bonds, packages: Packages, prefixes: Prefixes) -> None:
        self._bonds = bonds
        self._packages = packages
        self._prefixes = prefixes

    def requested(self, build_id: int) -> Requested:
        """Return what a build was asked for; its files tell the names that its packages have on PyPI.

        Raises
        ------
        ConflictError
            It has no record yet, or its files are packed away.
        NotFoundError
            There is no such build.
        """
        bond = self._bonds.of_build(build_id)
        distributions = distributions_of(self._prefixes.path(build_id))
        packages = self._packages.of_build(build_id)
        python = next((package["version"] for package in packages if package["name"] == "python"), "")
        found = requested_from_pypi(bond["packages"], bond["pip"], distributions, python)
        if left := bond.get("left_out"):
            why = f"{counted(left, 'line')} with addresses of this machine or network"
            found = replace(found, left_out=(*found.left_out, why))
        return found
