"""What can be configured of a server that offers a store to people: ``c.EnvStoreApp``, in Jupyter and alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Bool, Dict, Float, Integer, Set, Unicode
from traitlets import Callable as CallableTrait

from jupyter_envstore.application.access_configuration import access_rules
from jupyter_envstore.application.configuration import StoreTraits
from jupyter_envstore.server.registry_address import RegistryOptions

if TYPE_CHECKING:
    from jupyter_envstore.policy.access import AccessRules


class ServingTraits(StoreTraits):
    """Who may do what, and how what is made is handed out."""

    shared = Bool(
        help="Whether several people use this store. If not, whoever is logged in is its one user and may do "
        "everything. Default: no with Jupyter's own identity providers (token, password), yes with any other."
    ).tag(config=True)
    admins = Set(
        Unicode(),
        help="Names of people, or group:NAME, who may do everything in a shared store. "
        "Default: the owner of a JupyterHub server.",
    ).tag(config=True)
    role_bindings = Dict(
        help="What people may do in a shared store: the name of a person, group:NAME, or * for everybody who is "
        'logged in, to {"namespace/name": ["viewer", "developer" or "admin"]}; * stands for any name.'
    ).tag(config=True)
    unauthenticated_role_bindings = Dict(
        help="What may be done without logging in: entity to roles. Default: nothing."
    ).tag(config=True)
    predefined_tokens = Dict(
        help='Tokens of people without another login, of services and for pulling images: token to {"name": "...", '
        '"primary_namespace": "...", "role_bindings": {entity: [roles]}}. Make them long and random. The name is whom '
        "builds and logs name, as token:NAME; the primary namespace is where is built if none is named (default)."
    ).tag(config=True)
    identity_mapper: Any = CallableTrait(
        None,
        allow_none=True,
        help="Function of jupyter_server's User that returns a stable name, or a name and a list of groups. "
        "Default: the account's own name for one person, the user name for several.",
    ).tag(config=True)

    artifact_wait_seconds = Float(
        50.0,
        min=0.0,
        help="How long a download waits for an artifact that is being made, in seconds; then it is told to ask again. "
        "Keep it below the limit of proxies in front, which cut a connection that says nothing: 60 seconds in nginx.",
    ).tag(config=True)

    docker_registry_url = Unicode(
        "",
        help="Host, and port where it has one, that addresses of images show: hub.example:5000. Default: that of the "
        "request, where the server or its registry can be reached at the root of it.",
    ).tag(config=True)
    docker_registry_port = Integer(
        0,
        min=0,
        max=65_535,
        help="Port of its own for the Docker registry, which Docker needs where the server stands behind a path, as "
        "those of a JupyterHub do. 0: none; the registry is at /v2/ of the server itself.",
    ).tag(config=True)
    docker_registry_ip = Unicode("", help="Address that this port listens on. Default: that of the server.").tag(
        config=True
    )
    docker_registry_certfile = Unicode(
        "", help="Certificate of the registry on its own port, for TLS: Docker takes plain HTTP from localhost alone."
    ).tag(config=True)
    docker_registry_keyfile = Unicode("", help="Key of that certificate.").tag(config=True)

    collect_hours = Float(
        6.0,
        min=0.0,
        help="How often the server frees what the retention settings do not keep, in hours; 0 never, so that only "
        "jupyter envstore gc does.",
    ).tag(config=True)

    @property
    def account_owner(self) -> str:
        """Name of the person whose account the server runs under; empty where it is nobody's own."""
        return ""

    @property
    def listen_ip(self) -> str:
        """The address that the server listens on.

        Raises
        ------
        NotImplementedError
            The application does not say.
        """
        raise NotImplementedError

    def make_rules(self, default_namespace: str) -> AccessRules:
        """Return what the configuration says about people and tokens.

        Raises
        ------
        InvalidInputError
            A name, a role or an entity in it cannot be used.
        """
        return access_rules(
            self.shared,
            default_namespace,
            self.admins,
            self.role_bindings,
            self.unauthenticated_role_bindings,
            self.predefined_tokens,
            self.account_owner,
        )

    def registry_options(self) -> RegistryOptions:
        """Return what the configuration says of the registry."""
        return RegistryOptions(
            url=self.docker_registry_url,
            port=self.docker_registry_port,
            ip=self.docker_registry_ip or self.listen_ip,
            certfile=self.docker_registry_certfile,
            keyfile=self.docker_registry_keyfile,
        )
