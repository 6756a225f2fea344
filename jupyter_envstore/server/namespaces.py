"""Namespaces and whom they are opened to."""

from __future__ import annotations

from jupyter_envstore.server.base import EnvStoreHandler


class NamespacesHandler(EnvStoreHandler):
    """``namespace/``"""

    async def get(self) -> None:
        """List those that the caller may read."""
        page = self.page()
        count, data = await self.run(self.store.namespaces.page, self.identity, page)
        self.answer_page(count, data, page)


class NamespaceHandler(EnvStoreHandler):
    """``namespace/{namespace}/``"""

    async def get(self, namespace: str) -> None:
        """Show one."""
        self.check_place(namespace)
        self.require("namespace::read", namespace)
        self.answer(await self.run(self.store.namespaces.get, namespace))

    async def post(self, namespace: str) -> None:
        """Make one."""
        self.check_place(namespace)
        self.require("namespace::create", namespace)
        await self.run(self.store.namespaces.create, namespace, self.identity.name)
        self.acknowledge(f"namespace {namespace} created")

    async def put(self, namespace: str) -> None:
        """Replace metadata or role mappings."""
        self.check_place(namespace)
        self.require("namespace::update", namespace)
        body = self.json_body(("metadata", "role_mappings"))
        mappings = body.get("role_mappings")
        if mappings is not None:
            self.require("namespace-role-mapping::update", namespace)
        await self.run(self.store.namespaces.change, namespace, body.get("metadata"), mappings, self.identity)
        self.acknowledge(f"namespace {namespace} changed")

    async def delete(self, namespace: str) -> None:
        """Delete one without environments."""
        self.check_place(namespace)
        self.require("namespace::delete", namespace)
        await self.run(self.store.namespaces.delete, namespace, self.identity.name)
        self.acknowledge(f"namespace {namespace} deleted")


class MetadataHandler(EnvStoreHandler):
    """``namespace/{namespace}/metadata``"""

    async def put(self, namespace: str) -> None:
        """Replace the metadata; the body is the metadata."""
        self.check_place(namespace)
        self.require("namespace::update", namespace)
        body = self.json_body()
        await self.run(self.store.namespaces.change, namespace, body, None, self.identity)
        self.acknowledge(f"namespace {namespace} changed")


class RolesHandler(EnvStoreHandler):
    """``namespace/{namespace}/roles``"""

    async def get(self, namespace: str) -> None:
        """List whom the namespace is opened to."""
        self.check_place(namespace)
        self.require("namespace-role-mapping::read", namespace)
        self.answer(await self.run(self.store.namespaces.mappings, namespace))

    async def delete(self, namespace: str) -> None:
        """Close it to all."""
        self.check_place(namespace)
        self.require("namespace-role-mapping::delete", namespace)
        await self.run(self.store.namespaces.close, namespace, None, self.identity.name)
        self.acknowledge()


class RoleHandler(EnvStoreHandler):
    """``namespace/{namespace}/role``"""

    async def get(self, namespace: str) -> None:
        """Show the role of the user of ``other_namespace``."""
        self.check_place(namespace)
        self.require("namespace-role-mapping::read", namespace)
        other = self.text_argument("other_namespace")
        found = await self.run(self.store.namespaces.mappings, namespace, other or None)
        self.answer(found[0] if other else found)

    async def post(self, namespace: str) -> None:
        """Give the user of ``other_namespace`` a role."""
        await self._open(namespace, "namespace-role-mapping::create", again=False)

    async def put(self, namespace: str) -> None:
        """Change the role that they have."""
        await self._open(namespace, "namespace-role-mapping::update", again=True)

    async def delete(self, namespace: str) -> None:
        """Take it away."""
        self.check_place(namespace)
        self.require("namespace-role-mapping::delete", namespace)
        body = self.json_body(("other_namespace", "role"), ("other_namespace",))
        other = self.field(body, "other_namespace", str, "")
        await self.run(self.store.namespaces.close, namespace, other, self.identity.name)
        self.acknowledge()

    async def _open(self, namespace: str, permission: str, again: bool) -> None:
        self.check_place(namespace)
        self.require(permission, namespace)
        body = self.json_body(("other_namespace", "role"), ("other_namespace", "role"))
        other, role = self.field(body, "other_namespace", str, ""), self.field(body, "role", str, "")
        await self.run(self.store.namespaces.open, namespace, other, role, self.identity, again)
        self.acknowledge()


ROUTES = [
    ("namespace/", NamespacesHandler),
    ("namespace/{namespace}/", NamespaceHandler),
    ("namespace/{namespace}/metadata", MetadataHandler),
    ("namespace/{namespace}/roles", RolesHandler),
    ("namespace/{namespace}/role", RoleHandler),
]
