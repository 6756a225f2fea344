"""Settings of the three scopes."""

from __future__ import annotations

from jupyter_envstore.errors import PermissionDeniedError
from jupyter_envstore.policy import RESTRICTIONS, SETTINGS
from jupyter_envstore.server.base import EnvStoreHandler


class GlobalSettingsHandler(EnvStoreHandler):
    """``setting/``"""

    async def get(self) -> None:
        """Show every setting's value."""
        await self._show("*", "*", ())

    async def put(self) -> None:
        """Change some."""
        await self._change("*", "*", ())

    async def _show(self, namespace: str, name: str, scope: tuple[str, ...]) -> None:
        self.require("setting::read", namespace, name)
        values = await self.run(self.store.settings.effective, scope)
        self.answer({key: value for key, value in values.items() if not (scope and SETTINGS[key].global_only)})

    async def _change(self, namespace: str, name: str, scope: tuple[str, ...]) -> None:
        self.require("setting::update", namespace, name)
        body = self.json_body()
        for key in sorted(RESTRICTIONS.intersection(body)):
            if not self.identity.may("setting::update", "*"):
                msg = f"setting {key} binds people, so only admins of the whole store change it"
                raise PermissionDeniedError(msg)
        await self.run(self.store.settings.change, body, scope, self.identity.name)
        self.acknowledge("settings changed")


class NamespaceSettingsHandler(GlobalSettingsHandler):
    """``setting/{namespace}/``"""

    async def get(self, namespace: str) -> None:  # type: ignore[override]
        """Show the values that hold in a namespace."""
        self.check_place(namespace)
        await self._show(namespace, "*", (namespace,))

    async def put(self, namespace: str) -> None:  # type: ignore[override]
        """Change some for a namespace."""
        self.check_place(namespace)
        await self._change(namespace, "*", (namespace,))


class EnvironmentSettingsHandler(GlobalSettingsHandler):
    """``setting/{namespace}/{name}/``"""

    async def get(self, namespace: str, name: str) -> None:  # type: ignore[override]
        """Show the values that hold for an environment."""
        self.check_place(namespace, name)
        await self._show(namespace, name, (namespace, name))

    async def put(self, namespace: str, name: str) -> None:  # type: ignore[override]
        """Change some for an environment."""
        self.check_place(namespace, name)
        await self._change(namespace, name, (namespace, name))


ROUTES = [
    ("setting/", GlobalSettingsHandler),
    ("setting/{namespace}/", NamespaceSettingsHandler),
    ("setting/{namespace}/{name}/", EnvironmentSettingsHandler),
]
