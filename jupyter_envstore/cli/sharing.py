"""Commands about links that share an environment."""

from __future__ import annotations

import argparse
import shlex
import sys

from jupyter_envstore.builds.workspace import printable
from jupyter_envstore.cli.build import import_file, new_place, owner, see_through
from jupyter_envstore.cli.common import command, read_file, tell, who
from jupyter_envstore.cli.notebook import asking
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.client import EnvStore as Client
from jupyter_envstore.client import EnvStoreClientError
from jupyter_envstore.database.people import SHARE
from jupyter_envstore.errors import InvalidInputError, NotFoundError, OtherStoreError
from jupyter_envstore.representation.conda_store_types import TokenJson
from jupyter_envstore.services.common_interfaces import AnyStore
from jupyter_envstore.spec import parse_reference
from jupyter_envstore.spec.names import suggest_name
from jupyter_envstore.spec.share_links import is_address, read_share_link

SHOWN = 300
"""Characters of what another server says."""


def share(options: argparse.Namespace) -> None:
    """Make a share link, list them, or end one."""
    with open_store(options) as store:
        if options.revoke is not None:
            if options.revoke not in {link["id"] for link in _links(store)}:
                msg = f"there is no share link {options.revoke}; {command('share')} lists them"
                raise NotFoundError(msg)
            store.tokens.revoke(owner(), options.revoke)
            tell(options, {"revoked": options.revoke}, f"share link {options.revoke} ended")
            return
        if not options.environment:
            links = _links(store)
            lines = [
                f"{link['id']}  {', '.join(link['role_bindings'] or ())}  ends {_minute(link['expiration'])}"
                for link in links
            ]
            tell(options, links, "\n".join(lines) or "there are no share links")
            return
        space, name, number = parse_reference(options.environment)
        if number is not None:
            msg = f"a link shows the active build of an environment, whichever that is: name {space}/{name} alone"
            raise InvalidInputError(msg)
        view = store.links.share(owner(), space, name, options.days)
        link = view["link"]
        if view["reach"] == "here":
            print("note: it has an address of this machine (public_url), so it works here alone", file=sys.stderr)
    ended = view["id"]
    text = f"{link}\nends {_minute(view['expiration'])}; end it now: {command(f'share --revoke {ended}')}\n"
    text += f"For others: jupyter envstore import {shlex.quote(link)}\nOr open the link in a browser."
    tell(options, view, text)


def _minute(moment: str | None) -> str:
    """Return a moment as people read it."""
    return f"{moment[:16].replace('T', ' ')} UTC" if moment else "never"


def _links(store: AnyStore) -> list[TokenJson]:
    return [token for token in store.tokens.of_person(owner()) if token["kind"] == SHARE]


def import_file_or_link(options: argparse.Namespace) -> int:
    """Repair a file and print it; or build the environment of a share link."""
    link = options.file
    if not is_address(link):
        data = read_file(link)
        link = data.decode(errors="replace") if link == "-" else ""
        if not is_address(link):
            return import_file(options, data)
    url, token = read_share_link(link)
    name, metadata = _shared(Client(url, token))
    with open_store(options) as store:
        target = new_place(store, options.name or suggest_name(name))
        with asking("the environment"):
            reference = store.bonds.build_lock(metadata, target, who(), options.accept or (), options.later)
        return see_through(store, reference, options)


def _shared(client: Client) -> tuple[str, object]:
    """Return the name of a shared environment, and what a notebook that runs in it remembers, with its whole record.

    Raises
    ------
    NotFoundError
        The environment has not been built yet, or the server is not one of ours.
    InvalidInputError
        The link has ended.
    OtherStoreError
        The server does not answer.
    """
    try:
        found: object = client.shared(lock=True)
    except EnvStoreClientError as error:
        said = printable(str(error))[:SHOWN]
        if error.status in (401, 403):
            msg = f"the share link does not work: {said}"
            raise InvalidInputError(msg) from None
        if not error.status:
            raise OtherStoreError(said) from None
        raise NotFoundError(said) from None
    if not isinstance(found, dict) or "bond" not in found or not isinstance(found.get("name"), str):
        msg = f"{client.url} does not answer like a store of environments; check the link"
        raise NotFoundError(msg)
    if found["bond"] is None:
        name = printable(found["name"])[:SHOWN]
        msg = f"the environment {name}, which the link shares, has not been built yet; try again later"
        raise NotFoundError(msg)
    return found["name"], found["bond"]
