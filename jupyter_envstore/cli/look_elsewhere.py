"""What ``doctor`` finds of a store elsewhere, and of this machine as its client."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_envstore.application.configuration import ConfigurationFiles
from jupyter_envstore.errors import EnvStoreError
from jupyter_envstore.remote.client_configuration import ClientConfiguration
from jupyter_envstore.remote.headers import own_version
from jupyter_envstore.services.doctor import BAD, GOOD, WARNING, Finding
from jupyter_envstore.spec.wording import human_size

if TYPE_CHECKING:
    from jupyter_envstore.remote_store.connection import StoreConnection


def examine_elsewhere(files: ConfigurationFiles, url: str) -> Iterator[Finding]:
    """Yield what is found: the store, the login, and the room for its environments on this machine."""
    from jupyter_envstore.remote_store.connection import StoreConnection

    client = files.client_of(url, files.command_config())
    try:
        connection = StoreConnection(client.url, files.credential_of(client), client.ca_file)
        version = str(connection.get("")["version"])
    except EnvStoreError as error:
        yield Finding("store", BAD, str(error))
    else:
        yield _version(client.url, version)
        yield from _login(connection)
        connection.close()
    yield _room(client)


def _version(url: str, version: str) -> Finding:
    if version == own_version():
        return Finding("store", GOOD, f"{url} answers, version {version}")
    return Finding("store", WARNING, f"{url} answers, version {version}, and this is {own_version()}")


def _login(connection: StoreConnection) -> Iterator[Finding]:
    try:
        told = connection.get("permission/")
    except EnvStoreError as error:
        yield Finding("login", BAD, str(error))
        return
    roles = ", ".join(f"{', '.join(found)} in {place}" for place, found in told["entity_roles"].items())
    yield Finding("login", GOOD, f"as {told['username']}; {roles or 'no role anywhere'}")


def _room(client: ClientConfiguration) -> Finding:
    """Return whether there is room for environments that are brought."""
    folder = next(place for place in (client.root, *client.root.parents) if Path(place).exists())
    free = shutil.disk_usage(folder).free
    words = f"environments are brought to {client.root}: {human_size(free)} free"
    words += f", of which they may have {human_size(client.most_bytes)}"
    return Finding("cache", GOOD if free >= client.most_bytes else WARNING, words)
