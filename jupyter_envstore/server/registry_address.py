"""Where the registry is reached: at the root of the server, or on a port of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jupyter_envstore.errors import NotFoundError

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

NO_REGISTRY = (
    "no registry can be reached here: Docker knows no path, and this server stands behind {base!r}; its admin can set "
    "c.EnvStoreApp.docker_registry_port (and docker_registry_url, where the port has another name outside)"
)


@dataclass(frozen=True)
class RegistryOptions:
    """What the configuration says of the registry.

    Parameters
    ----------
    url : str
        Host, and port where it has one, that addresses of images show; empty for that of the request.
    port : int
        Port of its own; 0 for none.
    ip : str
        Address that this port listens on.
    certfile, keyfile : str
        Certificate and key of that port, for TLS; empty for plain HTTP.
    """

    url: str
    port: int
    ip: str
    certfile: str
    keyfile: str


class RegistryAddress:
    """Tells under which host Docker reaches the registry.

    Parameters
    ----------
    base_url : str
        Where the server stands on its host.
    """

    def __init__(self, options: RegistryOptions, base_url: str) -> None:
        self._options = options
        self._base_url = base_url
        self.trouble = ""
        """Why the port of its own is not there."""

    @property
    def at_root(self) -> bool:
        """Whether the server itself can be a registry: it stands at the root of its host."""
        return self._base_url == "/"

    def host(self, request: HTTPServerRequest) -> str:
        """Return host and port that stand in addresses of images.

        Raises
        ------
        NotFoundError
            No registry can be reached; the message says how to get one.
        """
        options = self._options
        if self.trouble and not self.at_root:
            raise NotFoundError(self.trouble)
        if options.url:
            return options.url.partition("://")[2].rstrip("/") or options.url
        if options.port and not self.trouble:
            name = urlsplit(f"//{request.host}").hostname or "localhost"
            return f"[{name}]:{options.port}" if ":" in name else f"{name}:{options.port}"
        if self.at_root:
            return str(request.host)
        raise NotFoundError(self.trouble or NO_REGISTRY.format(base=self._base_url))
