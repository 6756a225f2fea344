"""The store that a command works on: that of this machine, or one elsewhere."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import replace

from jupyter_envstore.application.configuration import ConfigurationFiles, read_files
from jupyter_envstore.builds.workspace import printable
from jupyter_envstore.cli.common import deleted_message, note_place
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.errors import InvalidInputError, NotFoundError, RemoteStoreUnavailableError
from jupyter_envstore.remote.answers import strange
from jupyter_envstore.remote.logins import store_address
from jupyter_envstore.services.common_interfaces import AnyStore
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.spec import parse_reference

ENVIRONMENT_OPTIONS = ("environment", "first", "second", "source")
"""Names of the options that name an environment."""


@contextlib.contextmanager
def open_store(options: argparse.Namespace, is_source: bool = False) -> Iterator[AnyStore]:
    """Open the store that the options or the configuration name.

    One that is a source of what goes to another store is that of this machine, unless the options name one; and the
    token of the variable is for the other one.

    What is not found in it since it was deleted is told with the way back.
    """
    note_place(options)
    files = read_files()
    url = store_elsewhere(options, files) if options.store or not is_source else ""
    store = (
        elsewhere(files, url, not is_source)
        if url
        else EnvStore.open(replace(files.command_config(options.root), hand_on=True))
    )
    try:
        yield store
    except NotFoundError:
        if place := _deleted(store, options):
            raise NotFoundError(deleted_message(place)) from None
        raise
    except (TypeError, AttributeError, LookupError, ValueError) as error:
        if not url:
            raise
        msg = f"{strange(url)} ({type(error).__name__}: {str(error)[:200]})"  # values of other types than a store's
        raise RemoteStoreUnavailableError(printable(msg)) from error
    finally:
        store.close()


def store_elsewhere(options: argparse.Namespace, files: ConfigurationFiles) -> str:
    """Return the address of the store elsewhere that a command works on; empty for that of this machine.

    Raises
    ------
    InvalidInputError
        It is no address.
    """
    if options.store:
        return store_address(options.store)
    return store_address(files.remote_url) if files.remote_url and not options.root else ""


def config_beside_files(options: argparse.Namespace, command: str) -> StoreConfig:
    """Return the configuration for a command that works on the files of a store.

    Raises
    ------
    InvalidInputError
        The store is elsewhere.
    """
    files = read_files()
    if url := store_elsewhere(options, files):
        msg = (
            f"{command} works on the files of a store, and those of {url} are elsewhere: run it on that machine, or "
            "name a store of this one with --root DIR"
        )
        raise InvalidInputError(msg)
    return files.command_config(options.root)


def elsewhere(files: ConfigurationFiles, url: str, may_use_variable: bool = True) -> AnyStore:
    """Return a store elsewhere, by its address; the token of the variable may be that of one that is not configured."""
    from jupyter_envstore.cli.bring_remote import bringing
    from jupyter_envstore.remote.logins import Logins, default_file
    from jupyter_envstore.remote_store.store import RemoteStore

    config = files.command_config()
    client = files.client_of(url, config)
    credential = files.credential_of(client, may_use_variable)
    return RemoteStore.open(client, config, credential, Logins(default_file()), bringing(client, credential))


def _deleted(store: AnyStore, options: argparse.Namespace) -> str:
    """Return the first environment that the options name and that was deleted; empty where none was."""
    for field in ENVIRONMENT_OPTIONS:
        try:
            namespace, name, _ = parse_reference(str(getattr(options, field, "")))
        except InvalidInputError:
            continue
        if store.environments.can_come_back(namespace, name):
            return f"{namespace}/{name}"
    return ""
