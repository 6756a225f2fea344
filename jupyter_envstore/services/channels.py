"""Channels: what they offer, and which may be used."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_envstore import policy
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine.channels import ChannelPolicy
from jupyter_envstore.engine.question_process import RunQuestion
from jupyter_envstore.engine.search import search_names, search_versions
from jupyter_envstore.engine.solve import current_platform
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.services.settings import Settings
from jupyter_envstore.services.values import ChannelPackage
from jupyter_envstore.spec.reader import check_channel
from jupyter_envstore.spec.specification import Specification


class Channels:
    """Where packages come from.

    Parameters
    ----------
    run_question : RunQuestion or None
        What has questions to them answered, if not this machine.
    """

    def __init__(self, config: StoreConfig, settings: Settings, run_question: RunQuestion | None = None) -> None:
        self._config = config
        self._settings = settings
        self.run_question = run_question

    def search(self, package: str, channels: Sequence[str] = (), platform: str | None = None) -> list[ChannelPackage]:
        """Return packages of channels: versions of a name, or the names that a pattern with ``*`` matches.

        Raises
        ------
        InvalidInputError
            It is neither.
        """
        settings = self._settings.effective(())
        naming = ChannelPolicy.of(settings, self._config.channel_alias)
        self.check(channels)
        place = (naming.resolve(channels), platform or current_platform(), self._config.packages / "repodata")
        if "*" in package or "?" in package:
            names = search_names(package, *place)
            return [{"name": name, "version": "", "build": "", "channel": "", "size": 0} for name in names]
        try:
            found = search_versions([package], *place)
        except ValueError as error:
            raise InvalidInputError(str(error)) from None
        return [
            {
                "name": record["name"],
                "version": record["version"],
                "build": record["build"],
                "build_number": record.get("build_number"),
                "subdir": record["subdir"],
                "channel": record["channel"],
                "license": record.get("license"),
                "depends": record.get("depends"),
                "size": record.get("size") or 0,
            }
            for record in found
        ]

    def known(self, names: Sequence[str]) -> set[str]:
        """Return those of some names that packages of the default channels have, for this platform.

        Raises
        ------
        ChannelError
            A channel cannot be read.
        ValueError
            One of them is no name.
        """
        settings = self._settings.effective(())
        urls = ChannelPolicy.of(settings, self._config.channel_alias).resolve(())
        found = search_versions(names, urls, current_platform(), self._config.packages / "repodata", most=1)
        return {record["name"] for record in found}

    def check(self, channels: Sequence[str], specs: Sequence[str] = ()) -> None:
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
                check_channel(channel, self._config.allow_local_files)
        except ValueError as error:
            raise InvalidInputError(str(error)) from None
        settings = self._settings.effective()
        naming = ChannelPolicy.of(settings, self._config.channel_alias)
        policy.check_channels(Specification(channels=tuple(channels), dependencies=tuple(specs)), settings, "*", naming)
