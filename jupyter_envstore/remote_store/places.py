"""Namespaces, tokens, links and settings of a store elsewhere, and the channels that it knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from jupyter_envstore.builds.retention import Plan, Removal
from jupyter_envstore.errors import InvalidInputError, NotFoundError, PermissionDeniedError
from jupyter_envstore.policy import SETTINGS
from jupyter_envstore.remote_store.connection import StoreConnection, path_of

if TYPE_CHECKING:
    from jupyter_envstore.policy.access import Identity
    from jupyter_envstore.policy.setting_values import SettingValues
    from jupyter_envstore.representation.conda_store_types import FoundPackageJson, TokenJson
    from jupyter_envstore.services.values import ChannelPackage, ShareLink

MOST_NAMES = 50
"""Names of packages that a store looks up at once."""
USUAL_DAYS = 7


class Namespaces:
    """Places for environments."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def exists(self, name: str) -> bool:
        """Whether a namespace is there, of those that one may see."""
        try:
            self._connection.get(path_of("namespace", name))
        except (NotFoundError, PermissionDeniedError):
            return False
        return True


class Tokens:
    """What stands for a person in a program."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def of_person(self, identity: Identity) -> list[TokenJson]:
        """Return one's own tokens."""
        del identity
        return cast("list[TokenJson]", self._connection.get("token/"))

    def revoke(self, identity: Identity, token_id: int) -> None:
        """End a token.

        Raises
        ------
        NotFoundError
            There is none, or it is somebody else's.
        """
        del identity
        self._connection.send("DELETE", path_of("token", token_id))


class Links:
    """Links that share one environment with whoever has them."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def share(self, identity: Identity, namespace: str, name: str, days: int = USUAL_DAYS) -> ShareLink:
        """Make a link.

        Raises
        ------
        EnvStoreError
            As :meth:`jupyter_envstore.services.links.Links.make`.
        """
        del identity
        told = self._connection.send("POST", path_of("environment", namespace, name, "share"), {"days": days})
        return cast("ShareLink", {key: value for key, value in told.items() if key != "token"})


class Settings:
    """What the settings of a place are."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def effective(self, scope: Sequence[str] = ()) -> SettingValues:
        """Return the settings that hold in a scope; of a namespace or environment, those that it can have.

        Raises
        ------
        NotFoundError
            The namespace or environment is not there.
        PermissionDeniedError
            One may not see them.
        """
        return cast("SettingValues", self._connection.get(path_of("setting", *scope)))

    def near(self, place: tuple[str, str | None] | None) -> SettingValues:
        """Return the settings that hold for an environment, as far as one may see them; else the usual ones."""
        namespace, name = place or ("", None)
        usual = {key: kind.default for key, kind in SETTINGS.items()}
        scope = [part for part in (namespace, name) if part]
        while True:
            try:
                return cast("SettingValues", {**usual, **self.effective(scope)})
            except (NotFoundError, PermissionDeniedError):
                if not scope:
                    return cast("SettingValues", usual)
                scope.pop()

    def change(self, values: dict[str, Any], scope: Sequence[str], who: str) -> None:
        """Change settings of a scope.

        Raises
        ------
        InvalidInputError
            A key or a value cannot be used; nothing is changed then.
        """
        del who
        self._connection.send("PUT", path_of("setting", *scope), values)


class Channels:
    """Where packages come from."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def search(self, package: str, channels: Sequence[str] = (), platform: str | None = None) -> list[ChannelPackage]:
        """Return packages of channels: versions of a name, or the names that a pattern with ``*`` matches.

        Raises
        ------
        InvalidInputError
            It is neither.
        """
        found: list[FoundPackageJson] = self._connection.get(
            path_of("search", package), channel=list(channels) or None, platform=platform
        )
        return [
            {
                "name": row["name"],
                "version": row["version"],
                "build": row["build"],
                "build_number": row["build_number"],
                "subdir": row["subdir"],
                "channel": row["channel"]["name"],
                "license": row["license"],
                "depends": row["depends"],
                "size": row["size"],
            }
            for row in found
        ]

    def known(self, names: Sequence[str]) -> set[str]:
        """Return those of some names that packages of the default channels have, for the store's platform.

        Raises
        ------
        ChannelError
            A channel cannot be read.
        """
        found: set[str] = set()
        for start in range(0, len(names), MOST_NAMES):
            rows = self._connection.get("newest/", name=list(names[start : start + MOST_NAMES]))
            found |= {row["name"] for row in rows}
        return found


class StoreRetention:
    """What the store may forget."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def collect(self, dry_run: bool = False, gone: bool = False) -> Plan:
        """Free what the settings do not want kept, or say what that would be; for admins of the store.

        Raises
        ------
        InvalidInputError
            ``gone`` is set: only who sees the disk of the store knows.
        PermissionDeniedError
            One may not.
        """
        if gone:
            msg = "--gone is said on the machine of the store, where one sees its disk"
            raise InvalidInputError(msg)
        told = self._connection.get("space/", plan="true") if dry_run else self._connection.send("POST", "space/")
        plan = told["plan"]
        removals = [Removal(row["kind"], row["name"], row["reason"], row["size"]) for row in plan["removals"]]
        left, size = plan["count"] - len(removals), plan["size"] - sum(removal.size for removal in removals)
        if left > 0:
            removals.append(Removal("others", f"{left} smaller things", "the store does not list them", size))
        return Plan(removals)

    def clear_deleted(self) -> int:
        """Leave it to the store, which does so by itself."""
        return 0
