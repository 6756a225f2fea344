"""What a store elsewhere knows of notebooks and of what is in packages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from jupyter_envstore.notebooks.bond_reader import read_bond
from jupyter_envstore.notebooks.pypi_requests import Requested
from jupyter_envstore.remote_store.builds import Builds
from jupyter_envstore.remote_store.connection import StoreConnection, path_of

if TYPE_CHECKING:
    from jupyter_envstore.engine.module_contents import Language
    from jupyter_envstore.notebooks.bond import Bond
    from jupyter_envstore.notebooks.bond_state import BondState, LockState
    from jupyter_envstore.notebooks.module_provider import ModuleProvider
    from jupyter_envstore.policy.access import Identity
    from jupyter_envstore.services.values import BuildRef


class Bonds:
    """What notebooks remember of their environments."""

    def __init__(self, connection: StoreConnection, builds: Builds) -> None:
        self._connection = connection
        self._builds = builds

    def of_build(self, build_id: int, lock: bool = False) -> Bond:
        """Return what a notebook that runs in a build remembers; with ``lock``, the whole record is in it.

        Raises
        ------
        ConflictError
            The build has no record yet.
        """
        return read_bond(self._connection.get(path_of("build", build_id, "bond"), lock="1" if lock else None))

    def look(self, identity: Identity, metadata: object) -> BondState:
        """Return what is known there of a notebook's environment, of what one may see.

        Raises
        ------
        InvalidInputError
            It is no bond, or of another version.
        """
        del identity
        return cast("BondState", self._connection.send("POST", "notebook/", {"envstore": metadata}))

    def lock_state(self, identity: Identity, bond: Bond) -> LockState | None:
        """Return what can be done there with the lock in a bond; None where it has none."""
        return self.look(identity, bond)["lock"]

    def build_lock(
        self, metadata: object, target: tuple[str, str], who: str, accepted: Sequence[str] = (), later: bool = False
    ) -> BuildRef:
        """Build the lock that a notebook holds, in a new environment.

        Raises
        ------
        EnvStoreError
            As :meth:`jupyter_envstore.services.bonds.Bonds.build_lock`.
        """
        del who
        body: dict[str, object] = {
            "envstore": metadata,
            "namespace": target[0],
            "name": target[1],
            "accept": list(accepted),
        }
        if later:
            body["later"] = True
        return self._builds.reference(self._connection.send("POST", "notebook/build/", body)["build_id"])


class Modules:
    """The modules in the packages of a store."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def providers(self, identity: Identity, module: str, language: Language = "python") -> list[ModuleProvider]:
        """Return the packages that have a module, the most certain first."""
        del identity
        return cast("list[ModuleProvider]", self._connection.get(path_of("module", module), language=language))


class ScriptBlocks:
    """The script blocks (PEP 723) of builds."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def requested(self, build_id: int) -> Requested:
        """Return what a build was asked for, with the names that its packages have on PyPI.

        Raises
        ------
        ConflictError
            Its record or its files do not tell.
        """
        told = self._connection.send("POST", path_of("build", build_id, "script-block"), {"text": ""})
        return Requested(told["python"], tuple(told["dependencies"]), tuple(told["left_out"]))
