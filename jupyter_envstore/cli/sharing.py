"""Commands about links that share an environment."""

from __future__ import annotations

import argparse
import shlex
from datetime import timedelta

from jupyter_envstore.cli.build import import_file, new_place, owner, see_through
from jupyter_envstore.cli.common import open_store, tell, who
from jupyter_envstore.cli.notebook import asking
from jupyter_envstore.client import EnvStore as Client
from jupyter_envstore.client import EnvStoreClientError
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.people import SHARE
from jupyter_envstore.errors import ChannelUnreachableError, InvalidInputError, NotFoundError
from jupyter_envstore.representation.conda_store_types import TokenJson
from jupyter_envstore.services.interfaces import Store
from jupyter_envstore.services.tokens import LONGEST_SHARE
from jupyter_envstore.spec import parse_reference
from jupyter_envstore.spec.share_links import read_share_link, share_link

NO_ADDRESS = (
    "others cannot reach this store: set c.EnvStoreApp.public_url to the address of the Jupyter server that serves it, "
    "or use a registry: jupyter envstore push"
)


def share(options: argparse.Namespace) -> None:
    """Make a share link, list them, or end one."""
    with open_store(options) as store:
        if options.revoke is not None:
            if options.revoke not in {link["id"] for link in _links(store)}:
                msg = f"there is no share link {options.revoke}; jupyter envstore share lists them"
                raise NotFoundError(msg)
            store.tokens.revoke(owner(), options.revoke)
            tell(options, {"revoked": options.revoke}, f"share link {options.revoke} ended")
            return
        if not options.environment:
            links = _links(store)
            lines = [
                f"{link['id']}  {', '.join(link['role_bindings'] or ())}  ends {link['expiration']}" for link in links
            ]
            tell(options, links, "\n".join(lines) or "there are no share links")
            return
        space, name, _ = parse_reference(options.environment)
        if not store.config.public_url:
            raise InvalidInputError(NO_ADDRESS)
        if not 1 <= options.days <= LONGEST_SHARE.days:
            msg = f"--days {options.days}: a share link lasts from 1 to {LONGEST_SHARE.days} days"
            raise InvalidInputError(msg)
        token, view = store.tokens.share(owner(), space, name, now() + timedelta(days=options.days))
        link = share_link(store.config.public_url, token)
    text = f"{link}\nends {view['expiration']}; end it now: jupyter envstore share --revoke {view['id']}\n"
    text += f"For others: jupyter envstore import {shlex.quote(link)}\nOr open the link in a browser."
    tell(options, {"link": link, **view}, text)


def _links(store: Store) -> list[TokenJson]:
    return [token for token in store.tokens.of_person(owner()) if token["kind"] == SHARE]


def import_file_or_link(options: argparse.Namespace) -> int:
    """Repair a file and print it; or build the environment of a share link."""
    if not options.file.startswith(("http://", "https://")):
        return import_file(options)
    url, token = read_share_link(options.file)
    metadata = _bond(Client(url, token))
    with open_store(options) as store:
        state = store.bonds.look(owner(), metadata)
        target = new_place(options.name or state["bond"]["environment"])
        with asking("the environment"):
            reference = store.bonds.build_lock(metadata, target, who(), options.accept or ())
        return see_through(store, reference, options)


def _bond(client: Client) -> object:
    """Return what a notebook that runs in the shared environment remembers, with its whole record.

    Raises
    ------
    NotFoundError
        The link shares nothing that has been built.
    InvalidInputError
        The link has ended.
    ChannelUnreachableError
        The server does not answer.
    """
    try:
        found = client.environments()
        if len(found) != 1 or not found[0].get("current_build_id"):
            msg = "the link shares no environment that has been built"
            raise NotFoundError(msg)
        return client.bond(f"{found[0]['namespace']['name']}/{found[0]['name']}", lock=True)
    except EnvStoreClientError as error:
        if error.status in (401, 403):
            msg = f"the share link does not work: {error}; ask for another"
            raise InvalidInputError(msg) from None
        if not error.status:
            raise ChannelUnreachableError(str(error)) from None
        raise NotFoundError(str(error)) from None
