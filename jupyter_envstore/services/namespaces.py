"""Namespaces: made, described, shared, deleted."""

from __future__ import annotations

from typing import Any

from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import listings as listing
from jupyter_envstore.database import people
from jupyter_envstore.database import settings as settings_rows
from jupyter_envstore.database.connection import Database, Session, now
from jupyter_envstore.database.models import Namespace
from jupyter_envstore.database.paging import Page
from jupyter_envstore.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_envstore.policy.access import Identity, check_bindings, check_roles
from jupyter_envstore.representation import conda_store
from jupyter_envstore.representation.conda_store_types import NamespaceJson
from jupyter_envstore.services.values import NamespaceMapping, NamespaceName
from jupyter_envstore.spec import check_name

MAX_METADATA = 100


class Namespaces:
    """Places for environments, and whom they are opened to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, identity: Identity, page: Page) -> tuple[int, list[NamespaceName]]:
        """Return namespaces."""
        with self._database.read() as session:
            count, found = listing.list_namespaces(session, identity.visible("namespace::read"), page)
        return count, [{"id": namespace.id, "name": namespace.name} for namespace in found]

    def get(self, name: str) -> NamespaceJson:
        """Return a namespace.

        Raises
        ------
        NotFoundError
            It is not there.
        """
        with self._database.read() as session:
            found = rows.get_namespace(session, name)
            if found is None:
                msg = f"there is no namespace {name}"
                raise NotFoundError(msg)
            return conda_store.namespace_json(found, listing.mappings_of(session, [found.id])[found.id])

    def exists(self, name: str) -> bool:
        """Whether a namespace is there."""
        with self._database.read() as session:
            return rows.get_namespace(session, name) is not None

    def create(self, name: str, who: str) -> None:
        """Make a namespace.

        Raises
        ------
        ConflictError
            It is there.
        """
        check_name("namespace", name)
        with self._database.write() as session:
            if rows.get_namespace(session, name) is not None:
                msg = f"namespace {name} exists already"
                raise ConflictError(msg)
            rows.ensure_namespace(session, name, who)
            people.audit(session, who, "namespace.create", name)

    def change(self, name: str, metadata: Any, mappings: Any, identity: Identity) -> None:
        """Replace the metadata or the role mappings of a namespace; None leaves them.

        Raises
        ------
        PermissionDeniedError
            A mapping gives more than who makes it has.
        """
        bindings = check_bindings(mappings) if mappings is not None else None
        if metadata is not None:
            _check_metadata(metadata)
        if bindings is not None:
            _check_holds(identity, bindings)
        with self._database.write() as session:
            namespace = _get(session, name)
            if metadata is not None:
                namespace.metadata_ = metadata
            if bindings is not None:
                people.set_entity_mappings(session, namespace, bindings, identity.name)
            rows.changed(session, "namespace", namespace.id)
            changed = {"metadata": metadata} if metadata is not None else {}
            changed |= {"role_mappings": bindings} if bindings is not None else {}
            people.audit(session, identity.name, "namespace.update", name, changed)

    def delete(self, name: str, who: str) -> None:
        """Delete an empty namespace, with its settings and mappings.

        Raises
        ------
        ConflictError
            There are environments in it.
        """
        with self._database.write() as session:
            namespace = _get(session, name)
            count = rows.count_environments(session, namespace.id)
            if count:
                msg = f"namespace {name} has {count} environments; delete them first"
                raise ConflictError(msg)
            people.set_entity_mappings(session, namespace, {}, who)
            people.delete_namespace_mappings(session, namespace)
            settings_rows.delete_settings(session, f"namespace:{namespace.id}")
            namespace.name_key = rows.free_key(namespace)
            namespace.deleted_on = now()
            rows.changed(session, "namespace", namespace.id)
            people.audit(session, who, "namespace.delete", name)

    def mappings(self, name: str, other: str | None = None) -> list[NamespaceMapping]:
        """Return whom a namespace is opened to.

        Raises
        ------
        NotFoundError
            It is not opened to the user of ``other``.
        """
        with self._database.read() as session:
            namespace = _get(session, name)
            found = people.list_namespace_mappings(session, namespace)
            views: list[NamespaceMapping] = [
                {"id": row.id, "namespace": namespace.name, "other_namespace": row.entity, "role": row.role}
                for row in found
                if other is None or row.entity == other.lower()
            ]
        if other is not None and not views:
            msg = f"{name} is not opened to the user of {other}"
            raise NotFoundError(msg)
        return views

    def open(self, name: str, other: str, role: str, identity: Identity, again: bool) -> None:
        """Give the user of another namespace a role in this one.

        Parameters
        ----------
        again : bool
            Change a role that they have; else they must have none.

        Raises
        ------
        ConflictError, NotFoundError
            They have one already; they have none.
        """
        check_name("namespace", other)
        (role,) = check_roles([role])
        _check_holds(identity, {f"{name}/*": [role]})
        with self._database.write() as session:
            namespace = _get(session, name)
            if again:
                if not people.delete_namespace_mappings(session, namespace, other):
                    msg = f"{name} is not opened to the user of {other}; add them with POST"
                    raise NotFoundError(msg)
                session.flush()
            people.add_namespace_mapping(session, namespace, other, role, identity.name)
            rows.changed(session, "namespace", namespace.id)
            people.audit(session, identity.name, "namespace.open", name, {"other_namespace": other, "role": role})

    def close(self, name: str, other: str | None, who: str) -> None:
        """Take the user of another namespace their role here, or everybody theirs.

        Raises
        ------
        NotFoundError
            They have none.
        """
        with self._database.write() as session:
            namespace = _get(session, name)
            if not people.delete_namespace_mappings(session, namespace, other) and other is not None:
                msg = f"{name} is not opened to the user of {other}"
                raise NotFoundError(msg)
            rows.changed(session, "namespace", namespace.id)
            people.audit(session, who, "namespace.close", name, {"other_namespace": other or "*"})

    def usage(self, identity: Identity) -> dict[str, dict[str, int]]:
        """Return environments, builds and bytes of each namespace."""
        with self._database.read() as session:
            return listing.usage(session, identity.visible("namespace::read"))


def _get(session: Session, name: str) -> Namespace:
    namespace = rows.get_namespace(session, name)
    if namespace is None:
        msg = f"there is no namespace {name}"
        raise NotFoundError(msg)
    return namespace


def _check_holds(identity: Identity, bindings: dict[str, list[str]]) -> None:
    for entity, roles in bindings.items():
        for role in roles:
            if not identity.holds({entity: [role]}):
                namespace, _, name = entity.partition("/")
                identity.require(f"role {role}", namespace, name)


def _check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict) or len(metadata) > MAX_METADATA:
        msg = f"metadata is a mapping with at most {MAX_METADATA} keys"
        raise InvalidInputError(msg)
    for key, value in metadata.items():
        if not isinstance(value, str | int | float | bool | None):
            msg = f"metadata {key!r} is neither text nor a number nor true or false"
            raise InvalidInputError(msg)
