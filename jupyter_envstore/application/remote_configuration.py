"""What can be configured of a store elsewhere, for the server and the command line alike (``remote_…``)."""

from __future__ import annotations

import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

from jupyter_core.paths import jupyter_data_dir
from traitlets import Bool, Float, Unicode, default
from traitlets.config import Configurable

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.remote.client_configuration import ClientConfiguration
from jupyter_envstore.remote.credentials import FIRST, LAST, Credential
from jupyter_envstore.remote.logins import Logins, default_file, store_address

REMOTE_URL = "ENVSTORE_REMOTE_URL"
PUBLIC_HUB = "JUPYTERHUB_PUBLIC_HUB_URL"


class RemoteTraits(Configurable):
    """A store elsewhere, and what is kept of it on this machine."""

    remote_url = Unicode(
        help="Address of a store elsewhere, which jupyter envstore serve or another Jupyter server offers: this server "
        "shows that store then, and opens none of its own; commands work on it, but with --root or --store. Default: "
        "ENVSTORE_REMOTE_URL.",
    ).tag(config=True)
    remote_token_file = Unicode(
        "",
        help="File with the token that the store elsewhere is asked with. Default: ENVSTORE_REMOTE_TOKEN, the login of "
        "jupyter envstore login, or the token that a JupyterHub gave to this server.",
    ).tag(config=True)
    remote_ca_file = Unicode(
        "", help="Certificates (PEM) that the store elsewhere is known by, beside those of the system."
    ).tag(config=True)
    remote_cache_dir = Unicode(
        "",
        help="Folder of the environments that are brought from the store elsewhere when their kernels start. Default: "
        "one in the user's Jupyter data directory. Where the store's own folder is mounted at the same path, nothing "
        "is brought.",
    ).tag(config=True)
    remote_cache_gigabytes = Float(
        20.0,
        min=0.0,
        help="How much these may have, in gigabytes; beyond, those go whose kernels were not started for the longest "
        "time.",
    ).tag(config=True)
    remote_hub_token = Bool(
        help="Whether the store elsewhere may be asked with the token that a JupyterHub gave to this server. Default: "
        "if the address is that of ENVSTORE_REMOTE_URL, or of a service of the hub (JUPYTERHUB_PUBLIC_HUB_URL).",
    ).tag(config=True)

    @default("remote_url")
    def _default_remote_url(self) -> str:
        return os.environ.get(REMOTE_URL, "")

    @default("remote_hub_token")
    def _default_remote_hub_token(self) -> bool:
        given = os.environ.get(REMOTE_URL, "")
        if given and self.remote_url == given:
            return True  # whoever starts the server gave it both
        return _is_at_hub(self.remote_url)

    def client_of(self, url: str, config: StoreConfig) -> ClientConfiguration:
        """Return how a store elsewhere is reached, and where its environments are brought to.

        What the configuration says of the login holds for the store that it names alone; its certificates count for
        all.

        Parameters
        ----------
        url : str
            Address of the store, or of its server.
        config : StoreConfig
            What holds for stores of this machine.

        Raises
        ------
        InvalidInputError
            It is no address.
        """
        address = store_address(url)
        is_own = self._is_configured(address)
        cache = f"envstore-{sha256(address.encode()).hexdigest()[:8]}"
        folder = self.remote_cache_dir if is_own and self.remote_cache_dir else str(Path(jupyter_data_dir()) / cache)
        brought = replace(
            config,
            root_dir=str(Path(folder).expanduser().resolve()),
            database_url="",
            blob_url="",
            executor="local",
            executor_options={},
            public_url="",
            share_prefixes=False,
            ask_other_stores=False,
        )
        return ClientConfiguration(
            address,
            self.remote_token_file if is_own else "",
            self.remote_ca_file,
            self.remote_hub_token if is_own else _is_at_hub(address),
            brought.to_text(),
            int(self.remote_cache_gigabytes * 1e9),
        )

    def credential_of(self, client: ClientConfiguration, may_use_variable: bool = True) -> Credential:
        """Return the login to a store elsewhere.

        Parameters
        ----------
        may_use_variable : bool
            Whether the token of ``ENVSTORE_REMOTE_TOKEN`` may be that of a store which the configuration does not name.
        """
        others = "" if self.remote_url else LAST
        variable = FIRST if self._is_configured(client.url) else others if may_use_variable else ""
        logins = Logins(default_file())
        return Credential(client.url, client.token_file, logins, client.with_hub_token, variable)

    def _is_configured(self, address: str) -> bool:
        """Whether a store is the one that the configuration names."""
        try:
            return bool(self.remote_url) and store_address(self.remote_url) == address
        except InvalidInputError:
            return False


def _is_at_hub(url: str) -> bool:
    """Whether an address is that of a service of the JupyterHub that this server belongs to.

    The servers of people have the hub's origin too, and would be told the token.
    """
    public, own = urlsplit(os.environ.get(PUBLIC_HUB, "")), urlsplit(url)
    services = public.path.rstrip("/").removesuffix("/hub") + "/services/"
    is_plain = not {".", ".."} & set(unquote(unquote(own.path)).split("/"))
    is_there = (public.scheme, public.netloc) == (own.scheme, own.netloc) and own.path.startswith(services)
    return bool(public.netloc) and is_there and is_plain
