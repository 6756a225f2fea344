"""What the settings of a place say of a build record: what is built counts, not what was typed."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from jupyter_envstore import policy
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.channels import ChannelPolicy
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.errors import PolicyError
from jupyter_envstore.policy.setting_values import SettingValues
from jupyter_envstore.spec.match_specs import check_channel


def check_record(record: BuildRecord, settings: SettingValues, place: str, config: StoreConfig) -> None:
    """Refuse a record that the settings of a place forbid.

    Parameters
    ----------
    place : str
        ``namespace/name``, for the message.

    Raises
    ------
    PolicyError
        With all that is not allowed.
    """
    packages = [
        package
        for platform, lock in record.platforms.items()
        for package in (
            *(policy.LockedPackage(platform, "conda", entry["name"], entry["url"]) for entry in lock.conda),
            *(policy.LockedPackage(platform, "pip", p["name"], p["url"], p.get("index") or "") for p in lock.pip),
        )
    ]
    policy.check_lock_policy(packages, settings, place, ChannelPolicy.of(settings, config.channel_alias))
    for channel in record.channels:
        try:
            check_channel(channel, config.allow_local_files)
        except ValueError as error:
            raise PolicyError(str(error)) from None


def unknown_places(lock: PlatformLock, settings: SettingValues, config: StoreConfig) -> list[str]:
    """Return the addresses that a lock's packages come from and that the settings do not name.

    Conda packages tell their channel; PyPI packages tell their index where one is known, else the host of the file.
    """
    naming = ChannelPolicy.of(settings, config.channel_alias)
    named = [*settings["conda_default_channels"], *settings["conda_allowed_channels"]]
    known = {naming.url(channel) for channel in named}
    indexes = [url.rstrip("/") for url in settings["pypi_allowed_indexes"]]
    places = [entry["channel"].rstrip("/") for entry in lock.conda]
    places += [
        place
        for package in lock.pip
        if not _is_below(package["url"], indexes)
        for place in ([package["index"].rstrip("/")] if package["index"] else [_host_of(package["url"])])
        if not _is_below(place, indexes)
    ]
    return [place for place in dict.fromkeys(places) if place not in known]


def _is_below(url: str, indexes: Sequence[str]) -> bool:
    return any(url == index or url.startswith(f"{index}/") for index in indexes)


def _host_of(url: str) -> str:
    parts = urlsplit(url.removeprefix("git+"))
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else url.rpartition("/")[0]
