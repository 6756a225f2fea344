"""Settings: what they are, their scopes, and which value holds where."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.policy.artifact_kinds import artifact_kinds, artifact_name
from jupyter_envstore.policy.setting_values import SettingValues
from jupyter_envstore.spec.names import check_name
from jupyter_envstore.spec.pip_lines import check_url, parse_pip_line
from jupyter_envstore.spec.reader import PLATFORMS, check_channel, check_match_spec


@dataclass(frozen=True)
class SettingKind:
    """A setting: its default, or what returns it, and whether it exists for the whole store only."""

    given: Any
    global_only: bool
    help: str
    check_value: Callable[[Any], None] | None = None
    most: float = 10**15

    @property
    def default(self) -> Any:
        """The value where nobody set any."""
        return self.given() if callable(self.given) else self.given

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
        if wanted in (int, float) and not 0 <= value <= self.most:
            msg = f"setting {key}: {str(value)[:40]} is not between 0 and {self.most}"
            raise InvalidInputError(msg)
        if self.check_value is not None:
            try:
                self.check_value(value)
            except ValueError as error:
                msg = f"setting {key}: {error}"
                raise InvalidInputError(msg) from None


def check_platform(platform: str) -> None:
    """Refuse a platform that is not known; the empty text stands for the server's own.

    Raises
    ------
    InvalidInputError
        With those that are.
    """
    if platform and platform not in PLATFORMS:
        msg = f"platform {platform[:60]!r} is not known; known: {', '.join(PLATFORMS)}"
        raise InvalidInputError(msg)


def _platforms(value: Sequence[str]) -> None:
    for platform in value:
        if platform not in PLATFORMS:
            msg = f"platform {platform!r} is not known; known: {', '.join(PLATFORMS)}"
            raise ValueError(msg)


def _channels(value: Sequence[str] | str) -> None:
    for channel in [value] if isinstance(value, str) else value:
        check_channel(channel, allow_local_files=True)


def _match_specs(value: Sequence[str]) -> None:
    for spec in value:
        check_match_spec(spec)


def _requirements(value: Sequence[str]) -> None:
    for line in value:
        parsed = parse_pip_line(line, allow_local_files=False)
        if parsed is None or parsed.requirement is None:
            msg = f"{line!r} is not a requirement; for example requests>=2.31"
            raise ValueError(msg)


def _indexes(value: Sequence[str]) -> None:
    for url in value:
        check_url(url, "index")


def _namespace(value: str) -> None:
    try:
        check_name("namespace", value)
    except InvalidInputError as error:
        raise ValueError(str(error)) from None


def _artifacts(value: Sequence[str]) -> None:
    for kind in value:
        if artifact_name(kind) not in artifact_kinds():
            msg = f"artifact {kind!r} is not known; known: {', '.join(artifact_kinds())}"
            raise ValueError(msg)


def _all_artifacts() -> list[str]:
    return list(artifact_kinds())


def _made_at_once() -> list[str]:
    return [kind.name for kind in artifact_kinds().values() if kind.at_once]


def _kept(value: Sequence[str]) -> None:
    _artifacts([kind for kind in value if artifact_name(kind) != "logs"])


def _alias(value: str) -> None:
    if value:
        check_url(value, "channel alias", allow_local_files=True)


def _one_of(known: Sequence[str]) -> Callable[[Any], None]:
    def check(value: str) -> None:
        if value not in known:
            msg = f"{value!r} is not known; known: {', '.join(known)}"
            raise ValueError(msg)

    return check


def _text(value: str) -> None:
    if len(value) > MAX_TEXT:
        msg = f"it has {len(value)} characters; at most {MAX_TEXT} are taken"
        raise ValueError(msg)


MAX_TEXT = 100_000
LINK_SCRIPTS_RUN, LINK_SCRIPTS_REPORT, LINK_SCRIPTS_REFUSE = "run", "report", "refuse"
LINK_SCRIPTS = (LINK_SCRIPTS_RUN, LINK_SCRIPTS_REPORT, LINK_SCRIPTS_REFUSE)
MAKERS = ("auto", "constructor", "self-extracting")
KEEP_CHOICES = ("no", "pinned", "active", "all")

SETTINGS: dict[str, SettingKind] = {
    "default_namespace": SettingKind(
        "default", True, "The namespace that is used where a person or a request names none.", _namespace
    ),
    "storage_threshold": SettingKind(
        0, True, "Bytes that must be free on the store's disk; with less, new builds are refused."
    ),
    "conda_platforms": SettingKind(
        [], True, "Platforms whose packages are searched; empty for the server's own platform.", _platforms
    ),
    "conda_max_solve_time": SettingKind(600.0, True, "Seconds that a solve may take.", most=86_400),
    "build_artifacts_kept_on_deletion": SettingKind(
        [], True, "Artifacts (and 'logs') that are kept when a build is deleted.", _kept
    ),
    "conda_channel_alias": SettingKind(
        "",
        False,
        "Address that a plain channel name is appended to; empty for the one in the configuration (channel_alias).",
        _alias,
    ),
    "conda_default_channels": SettingKind(
        ["conda-forge"], False, "Channels that a specification gets if it lists none.", _channels
    ),
    "conda_allowed_channels": SettingKind(
        [], False, "Channels that may be used, in specifications and lockfiles; empty for all.", _channels
    ),
    "defaults_channel": SettingKind("conda-forge", False, "Channel that is used in place of 'defaults'.", _channels),
    "conda_solve_platforms": SettingKind(
        [], False, "Platforms that are locked in addition to the server's own.", _platforms
    ),
    "conda_default_packages": SettingKind(
        [], False, "Packages that a specification gets if it lists none.", _match_specs
    ),
    "conda_included_packages": SettingKind(
        [], False, "Packages that are added to a specification that does not list them.", _match_specs
    ),
    "conda_required_packages": SettingKind([], False, "Packages that every specification must list.", _match_specs),
    "pypi_default_packages": SettingKind(
        [], False, "PyPI packages that a specification gets if it lists none.", _requirements
    ),
    "pypi_included_packages": SettingKind(
        [], False, "PyPI packages that are added to a specification that does not list them.", _requirements
    ),
    "pypi_required_packages": SettingKind(
        [], False, "PyPI packages that every specification must list.", _requirements
    ),
    "pypi_allowed_indexes": SettingKind(
        [],
        False,
        "PyPI indexes that may be used; the first is used where a specification names none; empty for all.",
        _indexes,
    ),
    "pypi_allow_sdists": SettingKind(
        False,
        False,
        "Whether PyPI packages without a wheel, and git repositories at a commit, are built from source. This happens "
        "once, when a build is locked.",
    ),
    "link_scripts": SettingKind(
        LINK_SCRIPTS_RUN,
        False,
        "Post-link scripts of packages: run (when the build is made), report (skip them, with a warning) or refuse "
        "(the build fails).",
        _one_of(LINK_SCRIPTS),
    ),
    "allow_outside_links": SettingKind(
        False,
        False,
        "Whether archives, images and installers are made of packages with symbolic links that lead out of the "
        "environment.",
    ),
    "add_ipykernel": SettingKind(
        False, False, "Whether ipykernel is added to a specification that lists Python and no kernel."
    ),
    "check_imports": SettingKind(
        True,
        False,
        "Whether a new build is checked: the requested Python packages are imported, the kernels started, and the "
        "libraries of shared objects looked for. The packages' code then runs under the server's account.",
    ),
    "build_artifacts": SettingKind(_all_artifacts, False, "Artifacts that may be made.", _artifacts),
    "artifacts_at_once": SettingKind(
        _made_at_once, False, "Artifacts that are made for every build, without a request.", _artifacts
    ),
    "installer_maker": SettingKind(
        "auto", False, "Which tool makes installers: auto, constructor or self-extracting.", _one_of(MAKERS)
    ),
    "installer_extras": SettingKind(
        True, False, "Whether conda and pip are added to installers if the environment does not have them."
    ),
    "installer_pkg": SettingKind(False, False, "Whether constructor makes installers for macOS as .pkg files."),
    "installer_company": SettingKind("", False, "The company or person that installers name as their maker.", _text),
    "installer_license": SettingKind(
        "", False, "License text that must be accepted when an installer is run; empty for none.", _text
    ),
    "share_links": SettingKind(
        True,
        False,
        "Whether people who may read an environment may make links that show it without a login.",
    ),
    "image_layers": SettingKind(100, True, "The largest number of layers that an image may have.", most=120),
    "dynamic_bounds": SettingKind(
        "inclusive",
        True,
        "What .lt. and .gt. mean in names of images on demand: <= and >= (inclusive), or < and > (strict).",
        _one_of(("inclusive", "strict")),
    ),
    "dynamic_fresh_hours": SettingKind(24, True, "How long an image on demand is used again, in hours.", most=10**6),
    "dynamic_limit": SettingKind(
        20,
        True,
        "How many images on demand one user may have; all users together may have ten times as many.",
        most=10**6,
    ),
    "retention_builds": SettingKind(
        5,
        False,
        "How many of the newest builds of an environment keep their prefix and artifacts; 0 for all.",
        most=10**9,
    ),
    "retention_days": SettingKind(
        0, False, "How many days a build keeps its prefix and artifacts; 0 for no limit.", most=36_500
    ),
    "retention_bytes": SettingKind(
        0, False, "How many bytes of prefixes and artifacts a namespace may hold; 0 for no limit."
    ),
    "keep_packages": SettingKind(
        "no",
        False,
        "Builds whose package files are stored here, so that they can be restored when a channel is gone: no, pinned, "
        "active (and pinned) or all.",
        _one_of(KEEP_CHOICES),
    ),
}


def effective(scopes: Sequence[Mapping[str, Any]]) -> SettingValues:
    """Return every setting's value.

    Parameters
    ----------
    scopes : sequence of mapping
        Values from the widest scope to the narrowest; the last that has a key wins. None is no value.
    """
    values = {key: kind.default for key, kind in SETTINGS.items()}
    for scope in scopes:
        values |= {key: value for key, value in scope.items() if key in SETTINGS and value is not None}
    return cast(SettingValues, values)


RESTRICTIONS = frozenset(
    {
        "conda_allowed_channels",
        "conda_required_packages",
        "pypi_required_packages",
        "pypi_allowed_indexes",
        "pypi_allow_sdists",
        "link_scripts",
        "allow_outside_links",
        "build_artifacts",
        "share_links",
        "conda_channel_alias",
        "defaults_channel",
        "retention_bytes",
    }
)
"""Settings that bind people: only who may change those of the whole store changes them, for any scope."""


def check_settings(values: Mapping[str, Any], in_scope: bool, allow_local_files: bool = True) -> None:
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
        if value is None:  # taken back: the wider scope's holds again
            continue
        kind.check(key, value)
        texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        if not allow_local_files and any("file:" in text for text in texts):
            msg = f"setting {key}: local files are not allowed on this server (allow_local_files)"
            raise InvalidInputError(msg)


def check_folders(values: Mapping[str, Any]) -> None:
    """Refuse default channels that are folders which are not there.

    Raises
    ------
    InvalidInputError
        With the folder.
    """
    for channel in values.get("conda_default_channels") or ():
        parts = urlsplit(channel)
        if parts.scheme == "file" and not os.path.isdir(unquote(parts.path)):  # noqa: PTH112 - an unreadable one is none
            msg = f"setting conda_default_channels: there is no folder {unquote(parts.path)[:200]} on this server"
            raise InvalidInputError(msg)


def normalized(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as they are kept: artifacts by their own names."""
    kept = dict(values)
    for key in ("build_artifacts", "artifacts_at_once", "build_artifacts_kept_on_deletion"):
        if kept.get(key) is not None:
            kept[key] = list(dict.fromkeys(artifact_name(kind) for kind in kept[key]))
    return kept
