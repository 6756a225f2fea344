"""Settings: what they are, their scopes, and which value holds where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.spec.reader import PLATFORMS, check_channel


@dataclass(frozen=True)
class SettingKind:
    """A setting: its default, and whether it exists for the whole store only."""

    default: Any
    global_only: bool
    help: str
    check_value: Callable[[Any], None] | None = None

    def check(self, key: str, value: Any) -> None:
        """Refuse a value of another type than the default's.

        Raises
        ------
        InvalidInputError
            With the type that is wanted.
        """
        wanted = type(self.default)
        fits = (
            isinstance(value, int | float) and not isinstance(value, bool) if wanted is float else type(value) is wanted
        )
        if not fits or (wanted is list and not all(isinstance(item, str) for item in value)):
            kind = {
                list: "a list of texts",
                float: "a number",
                int: "a whole number",
                bool: "true or false",
                str: "text",
            }
            msg = f"setting {key}: {value!r} is not {kind[wanted]}"
            raise InvalidInputError(msg)
        if wanted in (int, float) and value < 0:
            msg = f"setting {key}: {value!r} is less than nothing"
            raise InvalidInputError(msg)
        if self.check_value is not None:
            try:
                self.check_value(value)
            except ValueError as error:
                msg = f"setting {key}: {error}"
                raise InvalidInputError(msg) from None


def _platforms(value: Sequence[str]) -> None:
    for platform in value:
        if platform not in PLATFORMS:
            msg = f"platform {platform!r} is not known; known: {', '.join(PLATFORMS)}"
            raise ValueError(msg)


def _channels(value: Sequence[str] | str) -> None:
    for channel in [value] if isinstance(value, str) else value:
        check_channel(channel, allow_local_files=True)


SETTINGS: dict[str, SettingKind] = {
    "conda_default_channels": SettingKind(
        ["conda-forge"], False, "Channels of a specification that lists none.", _channels
    ),
    "defaults_channel": SettingKind("conda-forge", False, "What the channel 'defaults' stands for.", _channels),
    "conda_solve_platforms": SettingKind([], False, "Platforms to lock beside the server's own.", _platforms),
    "conda_max_solve_time": SettingKind(600.0, True, "Seconds that a solve may take."),
    "pypi_allow_sdists": SettingKind(
        False, False, "Build PyPI packages that have no wheel from their source archive, once, when a build is locked."
    ),
    "artifacts_at_once": SettingKind(
        ["yaml", "lockfile", "explicit", "archive"], False, "Artifacts made without being asked for."
    ),
    "retention_builds": SettingKind(5, False, "How many of the newest builds keep prefix and artifacts; 0 for all."),
    "retention_days": SettingKind(0, False, "Days that a build keeps prefix and artifacts; 0 for no limit."),
    "retention_bytes": SettingKind(
        0, False, "Bytes of prefixes and artifacts that a namespace may hold; 0 for no limit."
    ),
}


def effective(scopes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return every setting's value.

    Parameters
    ----------
    scopes : sequence of mapping
        Values from the widest scope to the narrowest; the last that has a key wins.
    """
    values = {key: kind.default for key, kind in SETTINGS.items()}
    for scope in scopes:
        values |= {key: value for key, value in scope.items() if key in SETTINGS}
    return values


def check_settings(values: Mapping[str, Any], in_scope: bool) -> None:
    """Refuse unknown keys, wrong types, and global settings in a scope.

    Raises
    ------
    InvalidInputError
        With the key and the way out.
    """
    for key, value in values.items():
        kind = SETTINGS.get(key)
        if kind is None:
            msg = f"unknown setting {key!r}; known: {', '.join(sorted(SETTINGS))}"
            raise InvalidInputError(msg)
        if kind.global_only and in_scope:
            msg = f"setting {key} exists for the whole store only"
            raise InvalidInputError(msg)
        kind.check(key, value)
