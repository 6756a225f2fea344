"""Settings of the store, of namespaces and of environments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jupyter_envstore import policy
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import people
from jupyter_envstore.database import settings as settings_rows
from jupyter_envstore.database.connection import Database, Session
from jupyter_envstore.engine.channels import ChannelPolicy
from jupyter_envstore.errors import NotFoundError
from jupyter_envstore.policy.setting_values import SettingValues
from jupyter_envstore.spec.specification import Specification


class Settings:
    """What the settings of a place are, and what they make of a specification."""

    def __init__(self, config: StoreConfig, database: Database) -> None:
        self._config = config
        self._database = database

    def effective(self, scope: Sequence[str] = ()) -> SettingValues:
        """Return the settings that hold in a scope: ``()``, ``(namespace,)`` or ``(namespace, name)``."""
        with self._database.read() as session:
            _, namespace_id, environment_id = self._scope(session, scope)
            return policy.effective(
                [self._config.settings, *settings_rows.scope_settings(session, namespace_id, environment_id)]
            )

    def near(self, place: tuple[str, str | None] | None) -> SettingValues:
        """Return the settings that hold for an environment, whether or not it or its namespace is there yet."""
        namespace, name = place or ("", None)
        with self._database.read() as session:
            ids = settings_rows.scope_ids(session, namespace, name or "")
            return policy.effective([self._config.settings, *settings_rows.scope_settings(session, *ids)])

    def change(self, values: dict[str, Any], scope: Sequence[str], who: str) -> None:
        """Change settings of a scope.

        Raises
        ------
        InvalidInputError
            A key or a value cannot be used; nothing is changed then.
        """
        policy.check_settings(values, bool(scope), self._config.allow_local_files)
        policy.check_folders(values)
        with self._database.write() as session:
            key, _, _ = self._scope(session, scope)
            for name, value in policy.normalized(values).items():
                settings_rows.set_setting(session, key, name, value, who)
            rows.changed(session, "setting", 0)
            people.audit(session, who, "setting.update", "/".join(scope) or "*", dict(values))

    @staticmethod
    def _scope(session: Session, scope: Sequence[str]) -> tuple[str, int | None, int | None]:
        if not scope:
            return "global", None, None
        namespace = rows.get_namespace(session, scope[0])
        if namespace is None:
            msg = f"there is no namespace {scope[0]}"
            raise NotFoundError(msg)
        if len(scope) == 1:
            return f"namespace:{namespace.id}", namespace.id, None
        _, environment = rows.find_environment(session, scope[0], scope[1])
        return f"environment:{environment.id}", namespace.id, environment.id

    def apply(self, specification: Specification, namespace: str, name: str) -> tuple[Specification, tuple[str, ...]]:
        """Return the specification as the settings of its place want it, and what was changed, in words.

        Raises
        ------
        PolicyError
            They forbid something in it.
        """
        settings = self.near((namespace, name))
        naming = ChannelPolicy.of(settings, self._config.channel_alias)
        return policy.apply_policy(specification, settings, f"{namespace}/{name}", naming)
