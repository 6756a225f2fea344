"""What the settings of a place say of a build record: what is built counts, not what was typed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from jupyter_envstore import policy
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.channels import ChannelPolicy
from jupyter_envstore.engine.lock import channels_of_lock
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.errors import PolicyError, UnknownPlacesError
from jupyter_envstore.policy.setting_values import SettingValues
from jupyter_envstore.spec.indexes import is_of_any, is_of_index
from jupyter_envstore.spec.lock_entries import PypiEntry
from jupyter_envstore.spec.match_specs import check_channel
from jupyter_envstore.spec.pip_lines import read_requirement
from jupyter_envstore.spec.specification import PipOptions, Specification


def check_record(
    record: BuildRecord, settings: SettingValues, place: str, config: StoreConfig, foreign: bool = False
) -> None:
    """Refuse a record that the settings of a place forbid.

    Parameters
    ----------
    place : str
        ``namespace/name``, for the message.
    foreign : bool
        Whether somebody sent the record: then the index that it names for a package says nothing, as anybody can write
        it; the address of the file counts.

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
            *(
                policy.LockedPackage(platform, "conda", entry["name"], entry["url"], beside=True)
                for entry in lock.installer_extras
            ),
            *(
                policy.LockedPackage(platform, "pip", p["name"], p["url"], "" if foreign else p.get("index") or "")
                for p in lock.pip
            ),
        )
    ]
    policy.check_lock_policy(packages, settings, place, ChannelPolicy.of(settings, config.channel_alias))
    for channel in record.channels:
        try:
            check_channel(channel, config.allow_local_files)
        except ValueError as error:
            raise PolicyError(str(error)) from None


def check_accepted(what: str, places: Sequence[str], accepted: Sequence[str]) -> None:
    """Refuse addresses that the settings do not name and nobody accepted.

    Raises
    ------
    UnknownPlacesError
        With those addresses.
    """
    if strange := [place for place in places if place not in accepted]:
        raise UnknownPlacesError(what, strange)


def unknown_places(record: BuildRecord, settings: SettingValues, config: StoreConfig) -> list[str]:
    """Return the addresses that a foreign record takes packages from and that the settings do not name.

    All platforms count, since artifacts for each of them can be made, and so do the channels and indexes of the
    specification, from which an update takes packages. A package of PyPI tells its index if its file lies there, else
    the host of its file.
    """
    conda = list(record.channels)
    pip = list(_option_places(record.pip_options))
    for lock in record.platforms.values():
        conda += [entry["channel"] for entry in (*lock.conda, *lock.installer_extras)]
        pip += [_pip_place(p) for p in lock.pip if not is_of_any(p["url"], settings["pypi_allowed_indexes"])]
    return _unknown(conda, pip, settings, config)


def unknown_specification_places(
    specification: Specification, settings: SettingValues, config: StoreConfig
) -> list[str]:
    """Return the addresses that a foreign specification takes packages from and that the settings do not name.

    Of a lockfile, these are the channels and hosts of its files, for all platforms.
    """
    urls = [url for line in specification.pip if (url := read_requirement(line).url)]
    naming = ChannelPolicy.of(settings, config.channel_alias)
    conda = [channel for channel in specification.channels if channel != "nodefaults"]
    conda += filter(None, (naming.resolve_spec(spec)[1] for spec in specification.dependencies))
    if specification.lockfile is not None:
        conda += channels_of_lock(specification.lockfile)  # an update takes packages from them
        entries = specification.lockfile["package"]
        conda += [policy.channel_of(entry["url"]) for entry in entries if entry["manager"] == "conda"]
        urls += [entry["url"] for entry in entries if entry["manager"] == "pip"]
    pip = [_host_of(url) for url in urls if not is_of_any(url, settings["pypi_allowed_indexes"])]
    return _unknown(conda, [*_option_places(specification.pip_options), *pip], settings, config)


def _unknown(conda: Sequence[str], pip: Sequence[str], settings: SettingValues, config: StoreConfig) -> list[str]:
    """Return the channels and the places of PyPI packages that the settings do not name, each once."""
    naming = ChannelPolicy.of(settings, config.channel_alias)
    named = [*settings["conda_default_channels"], *settings["conda_allowed_channels"]]
    known = {naming.url(channel).rstrip("/") for channel in named}
    channels = [naming.url(channel).rstrip("/") for channel in conda]
    places = [place for place in pip if not is_of_any(place, settings["pypi_allowed_indexes"])]
    return list(dict.fromkeys([*(channel for channel in channels if channel not in known), *places]))


def _option_places(options: PipOptions) -> Iterator[str]:
    if options.index_url:
        yield options.index_url.rstrip("/")
    yield from (url.rstrip("/") or url for url in (*options.extra_index_urls, *options.find_links))


def _pip_place(package: PypiEntry) -> str:
    index = package["index"].rstrip("/")
    return index if index and is_of_index(package["url"], index) else _host_of(package["url"])


def _host_of(url: str) -> str:
    parts = urlsplit(url.removeprefix("git+"))
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else url.rpartition("/")[0]
