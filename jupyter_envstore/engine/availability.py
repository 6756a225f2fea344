"""Whether the packages of a lock can still be had."""

from __future__ import annotations

import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.cached import cache_name
from jupyter_envstore.engine.channels import local_path
from jupyter_envstore.engine.record import PlatformLock

TIMEOUT = 15.0


def missing_packages(lock: PlatformLock, cache_dir: Path) -> list[str]:
    """Return the file names of packages that are neither cached nor at their address any more.

    A place that does not answer, or asks for a password, counts as there: the restore itself will tell.
    """
    wanted = [record for record in lock.conda if not _cached(record, cache_dir)]
    names = [(record["fn"], record["url"]) for record in wanted]
    names += [(package["filename"], package["url"]) for package in lock.pip if "wheel" not in package]
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(_exists, (url for _, url in names))
    return [name for (name, _), there in zip(names, found, strict=True) if not there]


def _cached(record: dict[str, Any], cache_dir: Path) -> bool:
    return (cache_dir / cache_name(record) / "info" / "index.json").is_file()


def _exists(url: str) -> bool:
    path = local_path(url)
    if path is not None:
        return path.is_file()
    if not url.startswith(("http://", "https://")):
        return False
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        return error.code not in (404, 410)
    except OSError:
        return True
