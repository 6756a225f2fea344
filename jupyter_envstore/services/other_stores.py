"""Other stores, which the account is logged in to: asked for the build of a notebook that this store does not have."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Protocol

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.errors import InvalidInputError, NotFoundError, OtherStoreError, SpecificationError
from jupyter_envstore.notebooks.bond import Bond
from jupyter_envstore.notebooks.bond_reader import embedded_record, read_bond
from jupyter_envstore.notebooks.bond_state import Elsewhere, LockState, StoreFailure
from jupyter_envstore.policy.access import Identity
from jupyter_envstore.remote.logins import Login, Logins, store_address
from jupyter_envstore.remote.recorded_locks import RecordedLock, ask_store, ask_stores


class LockStates(Protocol):
    """What says what can be done with a lock in the store that a notebook's environment is wanted in."""

    def lock_state(self, identity: Identity, bond: Bond) -> LockState | None:
        """Return what can be done there with the lock in a bond; None where it has none."""


DAMAGED = "what it sent is not the build record of the notebook"


@dataclass(frozen=True)
class FoundBond:
    """What other stores have of a notebook's build.

    Parameters
    ----------
    bond : dict
        The bond of the notebook; with the lock, where a store has it.
    answer : RecordedLock or None
        The answer of that store.
    failed : list of dict
        Stores that could not tell.
    """

    bond: Bond
    answer: RecordedLock | None
    failed: list[StoreFailure]


class OtherStores:
    """Stores elsewhere.

    They are asked with the logins of the account that the store runs under, so for its owner alone; and only those
    that the owner has logged in to, wherever a notebook says that it was written. They are told nothing but the hash
    of a build record.

    Parameters
    ----------
    config : StoreConfig
        Says whether other stores are asked.
    logins : Logins
        The logins of the account.
    bonds : LockStates
        Says what can be done with a lock here.
    """

    def __init__(self, config: StoreConfig, logins: Logins, bonds: LockStates) -> None:
        self._config = config
        self._logins = logins
        self._bonds = bonds

    def find(self, identity: Identity, metadata: object) -> FoundBond:
        """Ask other stores for the build of a notebook; the store where it was written comes first.

        Parameters
        ----------
        metadata : object
            ``metadata.envstore`` of the notebook, as JSON has it.

        Raises
        ------
        InvalidInputError
            It is no bond, or of another version.
        StorageError
            The logins cannot be read.
        """
        bond = read_bond(metadata)
        logins = sorted(self._logins_of(identity), key=lambda login: not _is_store(login, bond))
        failed: list[StoreFailure] = []
        with contextlib.closing(ask_stores(logins, bond["record"])) as answers:
            for answer in answers:
                if not answer.failure and answer.lock is None:
                    continue
                try:
                    return FoundBond(self._checked(bond, answer), answer, failed)
                except OtherStoreError as error:
                    failed.append({"store": answer.store, "reason": str(error)})
        return FoundBond(bond, None, failed)

    def look(self, identity: Identity, metadata: object) -> Elsewhere:
        """Ask other stores for the build of a notebook, and say what can be done with what they have.

        Raises
        ------
        InvalidInputError, StorageError
            As in :meth:`find`.
        """
        found = self.find(identity, metadata)
        state = self._bonds.lock_state(identity, found.bond) if found.answer is not None else None
        if found.answer is None or state is None:
            return {"found": None, "failed": found.failed}
        answer = found.answer
        return {
            "found": {
                "store": answer.store,
                "namespace": answer.namespace,
                "environment": answer.environment,
                "number": answer.number,
                "lock": state,
            },
            "failed": found.failed,
        }

    def with_lock(self, identity: Identity, metadata: object, store: str) -> Bond:
        """Return the bond of a notebook with the lock that another store has.

        Raises
        ------
        InvalidInputError
            It is no bond, or of another version.
        NotFoundError
            There is no login to the store, or it does not have the build.
        OtherStoreError
            The store does not answer, or sends something else.
        StorageError
            The logins cannot be read.
        """
        bond = read_bond(metadata)
        login = next((login for login in self._logins_of(identity) if login.url == store), None)
        if login is None:
            msg = f"this server is not logged in to {store[:200]}; in its terminal: jupyter envstore login ADDRESS"
            raise NotFoundError(msg)
        answer = ask_store(login, bond["record"])
        if not answer.failure and answer.lock is None:
            msg = f"{store} does not have the build of the notebook any more"
            raise NotFoundError(msg)
        try:
            return self._checked(bond, answer)
        except OtherStoreError as error:
            msg = f"{store}: {error}"
            raise OtherStoreError(msg) from None

    def _logins_of(self, identity: Identity) -> list[Login]:
        return self._logins.all() if identity.owns_account and self._config.ask_other_stores else []

    def _checked(self, bond: Bond, answer: RecordedLock) -> Bond:
        """Return the bond with what another store sent as its lock, if that is it.

        Raises
        ------
        OtherStoreError
            It is not; or the store did not answer.
        """
        if answer.failure:
            raise OtherStoreError(answer.failure)
        try:
            checked = read_bond({**bond, "lock": answer.lock})
            embedded_record(checked, self._config.allow_local_files)
        except (InvalidInputError, SpecificationError):
            raise OtherStoreError(DAMAGED) from None
        return checked


def _is_store(login: Login, bond: Bond) -> bool:
    """Whether a notebook was written with a store."""
    try:
        return login.url == store_address(bond.get("store", ""))
    except InvalidInputError:
        return False
