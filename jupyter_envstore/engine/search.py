"""Look for packages in channels, through the gateway."""

from __future__ import annotations

import asyncio
import fnmatch
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.channels import (
    check_local_channels,
    conda_credentials,
    explain_channel_error,
    forget_lists_of_shards,
    make_gateway,
)
from jupyter_envstore.engine.solve import clean_record
from jupyter_envstore.spec.lock_entries import CondaEntry
from jupyter_envstore.spec.reader import check_match_spec

LIMIT = 1000


def search_names(pattern: str, urls: Sequence[str], platform: str, cache_dir: Path) -> list[str]:
    """Return the names of packages that ``pattern`` (with ``*`` and ``?``) matches, at most 1000.

    Raises
    ------
    ChannelError
        A channel cannot be read.
    """
    import rattler

    async def run() -> list[str]:
        names = await make_gateway(cache_dir).names(
            [rattler.Channel(url) for url in urls], [rattler.Subdir(platform), rattler.Subdir("noarch")]
        )
        return sorted(name.normalized for name in names)

    return [name for name in _ask(run, urls, platform, cache_dir) if fnmatch.fnmatchcase(name, pattern.lower())][:LIMIT]


def search_versions(
    specs: Sequence[str], urls: Sequence[str], platform: str, cache_dir: Path, most: int = LIMIT
) -> list[CondaEntry]:
    """Return the packages that each of ``specs`` matches, newest first, at most ``most`` of each.

    Raises
    ------
    ChannelError
        A channel cannot be read.
    ValueError
        One of ``specs`` is not a match spec.
    """
    import rattler

    wanted = [rattler.MatchSpec(check_match_spec(spec)) for spec in specs]

    async def run() -> list[CondaEntry]:
        sources = [rattler.Channel(url) for url in urls]
        found = await make_gateway(cache_dir).query(
            sources, [rattler.Subdir(platform), rattler.Subdir("noarch")], wanted, recursive=False
        )
        records = [record for group in found for record in group]
        records.sort(key=lambda record: (record.version, record.build_number), reverse=True)
        chosen = [record for spec in wanted for record in [r for r in records if spec.matches(r)][:most]]
        return [clean_record(json.loads(record.to_json())) for record in chosen]

    return list(_ask(run, urls, platform, cache_dir))


def _ask(run: Any, urls: Sequence[str], platform: str, cache_dir: Path) -> list[Any]:
    from rattler.exceptions import GatewayError

    check_local_channels(urls, platform)
    try:
        with conda_credentials():
            try:
                found: list[Any] = asyncio.run(run())
            except GatewayError as error:
                if not forget_lists_of_shards(cache_dir, error):
                    raise
                found = asyncio.run(run())
            return found
    except GatewayError as error:
        raise explain_channel_error(error) from None
