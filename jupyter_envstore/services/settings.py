"""Settings, space, and what channels offer."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from jupyter_envstore import policy
from jupyter_envstore.builds.retention import Plan
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import people
from jupyter_envstore.database import settings as settings_rows
from jupyter_envstore.engine.channels import ChannelPolicy
from jupyter_envstore.engine.search import search_names, search_versions
from jupyter_envstore.engine.solve import current_platform
from jupyter_envstore.errors import InvalidInputError, NotFoundError
from jupyter_envstore.services.base import OpenStore
from jupyter_envstore.spec.reader import check_channel
from jupyter_envstore.spec.specification import Specification

LEAST_FREE = 100_000_000
"""Bytes without which hardly anything can be built, whatever the settings say."""


class Keeping(OpenStore):
    """What the store is told to keep, and where packages come from."""

    def search(self, package: str, channels: Sequence[str] = (), platform: str | None = None) -> list[dict[str, Any]]:
        """Return packages of channels: versions of a name, or the names that a pattern with ``*`` matches.

        Raises
        ------
        InvalidInputError
            It is neither.
        """
        settings = self.settings(())
        naming = ChannelPolicy.of(settings, self.config.channel_alias)
        self.check_channels(channels)
        place = (naming.resolve(channels), platform or current_platform(), self.config.packages / "repodata")
        if "*" in package or "?" in package:
            names = search_names(package, *place)
            return [{"name": name, "version": "", "build": "", "channel": "", "size": 0} for name in names]
        try:
            found = search_versions([package], *place)
        except ValueError as error:
            raise InvalidInputError(str(error)) from None
        keys = ("name", "version", "build", "build_number", "subdir", "channel", "license", "depends")
        return [{**{key: record.get(key) for key in keys}, "size": record.get("size") or 0} for record in found]

    def check_channels(self, channels: Sequence[str], specs: Sequence[str] = ()) -> None:
        """Refuse channels that are none, local where that is not allowed, or not allowed by the store's settings.

        Raises
        ------
        InvalidInputError
            With the reason.
        PolicyError
            The settings do not allow one, which ``specs`` may name too.
        """
        try:
            for channel in channels:
                check_channel(channel, self.config.allow_local_files)
        except ValueError as error:
            raise InvalidInputError(str(error)) from None
        settings = self.settings()
        naming = ChannelPolicy.of(settings, self.config.channel_alias)
        policy.check_channels(Specification(channels=tuple(channels), dependencies=tuple(specs)), settings, "*", naming)

    def settings_near(self, place: tuple[str, str | None] | None) -> dict[str, Any]:
        """Return the settings that hold for an environment, whether or not it or its namespace is there yet."""
        namespace, name = place or ("", None)
        with self.database.read() as session:
            ids = settings_rows.scope_ids(session, namespace, name or "")
            return policy.effective([self.config.settings, *settings_rows.scope_settings(session, *ids)])

    def settings(self, scope: Sequence[str] = ()) -> dict[str, Any]:
        """Return the settings that hold in a scope: ``()``, ``(namespace,)`` or ``(namespace, name)``."""
        with self.database.read() as session:
            _, namespace_id, environment_id = self._scope(session, scope)
            return policy.effective(
                [self.config.settings, *settings_rows.scope_settings(session, namespace_id, environment_id)]
            )

    def change_settings(self, values: dict[str, Any], scope: Sequence[str], who: str) -> None:
        """Change settings of a scope.

        Raises
        ------
        InvalidInputError
            A key or a value cannot be used; nothing is changed then.
        """
        policy.check_settings(values, bool(scope), self.config.allow_local_files)
        policy.check_folders(values)
        with self.database.write() as session:
            key, _, _ = self._scope(session, scope)
            for name, value in policy.normalized(values).items():
                settings_rows.set_setting(session, key, name, value, who)
            rows.changed(session, "setting", 0)
            people.audit(session, who, "setting.update", "/".join(scope) or "*", dict(values))

    @staticmethod
    def _scope(session: Any, scope: Sequence[str]) -> tuple[str, int | None, int | None]:
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

    def space(self) -> dict[str, Any]:
        """Return bytes of the store's disk: free, in all, and whether there is too little to build anything."""
        usage = shutil.disk_usage(self.config.root)
        low = usage.free < max(int(self.settings()["storage_threshold"]), LEAST_FREE)
        return {"free": usage.free, "total": usage.total, "low": low}

    def free(self, who: str) -> Plan:
        """Free what the settings do not want kept, and note who had it done."""
        plan = self.collect()
        with self.database.write() as session:
            people.audit(session, who, "store.free", "*", {"bytes": plan.size})
        return plan

    def collect(self, dry_run: bool = False) -> Plan:
        """Free what the settings do not want kept, or say what that would be."""
        return self.retention.plan() if dry_run else self.retention.collect()
