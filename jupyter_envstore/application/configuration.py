"""What can be configured of a store, for the server and the command line alike: ``c.EnvStoreApp``."""

from __future__ import annotations

import contextlib
import copy
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyter_core.application import JupyterApp
from jupyter_core.paths import jupyter_config_dir, jupyter_data_dir
from traitlets import Bool, Dict, Enum, Float, Integer, List, TraitError, Unicode, default
from traitlets.config import Config, Configurable
from traitlets.utils.descriptions import add_article

from jupyter_envstore import __version__
from jupyter_envstore.application.remote_configuration import RemoteTraits
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.images.reference import check_base
from jupyter_envstore.policy import check_settings, normalized
from jupyter_envstore.spec.addresses import check_url

_OF_WORKERS = {"settings", "hand_on", "at_home", "package_cache_gigabytes"}
"""What is no trait: the settings have another form, and the others are said to workers alone."""
ADDRESSES = (
    "conda_channel_alias",
    "defaults_channel",
    "conda_default_channels",
    "conda_allowed_channels",
    "pypi_allowed_indexes",
)
"""Settings that name addresses."""


class StoreTraits(Configurable):
    """Where the store is, and its limits."""

    root_dir = Unicode(
        help="Folder of the store: database, environments, caches. Its path must be short (prefixes stand in the "
        "first lines of scripts) and hold no space. Default: envstore in Jupyter's data directory."
    ).tag(config=True)
    database_url = Unicode(
        "",
        help="Address of a database of PostgreSQL, in SQLAlchemy's form: postgresql+psycopg://USER@HOST/DATABASE. "
        "Default: a file of SQLite in root_dir.",
    ).tag(config=True)
    blob_url = Unicode(
        "",
        help="Where artifacts, layers, build records and logs are kept: the address of a bucket, s3://BUCKET/PREFIX "
        "(pip install 'jupyter-envstore[s3]'), or another one that fsspec knows. Default: files in root_dir. "
        "`jupyter envstore move-blobs` brings a store's files there.",
    ).tag(config=True)
    blob_options = Dict(
        help="What fsspec's file system for blob_url is made with, such as {'endpoint_url': 'https://s3.example.org'}. "
        "Credentials are taken from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or ~/.aws, unless they "
        "stand here."
    ).tag(config=True)
    blob_cache_gigabytes = Float(
        10.0, min=0.0, help="How many gigabytes of the bucket are kept as copies on this machine."
    ).tag(config=True)
    blob_redirects = Bool(
        False,
        help="Whether clients that download an artifact, an image's layer or a kept package are sent to the bucket, by "
        "an address that works for 15 minutes. They must reach the bucket. Default: the server sends all itself.",
    ).tag(config=True)
    blob_public_endpoint = Unicode(
        "",
        help="Address of the bucket's endpoint as clients reach it, if that is another than in blob_options.",
    ).tag(config=True)
    channel_alias = Unicode(
        "",
        help="Address that plain channel names are appended to, for example that of a mirror. Default: conda's own.",
    ).tag(config=True)
    allow_local_files = Bool(
        True,
        help="Whether file:// channels and local --find-links are allowed. Turn it off on servers that people share: "
        "whoever makes an environment could read files of the server's account with them.",
    ).tag(config=True)
    max_concurrent_builds = Integer(
        2,
        min=1,
        help="How many workers run at once. If all of them only add byte code, artifacts or checks to "
        "environments that can be used already, one more starts for a build; with 1, none runs beside another.",
    ).tag(config=True)
    lease_seconds = Float(
        30.0, min=2.0, help="How long a worker may be silent before its work is given to another, in seconds."
    ).tag(config=True)
    build_time_limit = Float(3600.0, min=10.0, help="How long a build may take, in seconds.").tag(config=True)
    executor = Unicode(
        "local",
        help="What starts workers: local for processes of this machine, dask for a cluster "
        "(pip install 'jupyter-envstore[dask]'), or the name that another package gives its executor in the "
        "entry-point group jupyter_envstore.executors.",
    ).tag(config=True)
    executor_options = Dict(
        help="What the executor is made with. For dask: address (of a scheduler), or cluster_class and "
        "cluster_arguments with minimum and maximum; worker_root_dir, resources, security, send_credentials."
    ).tag(config=True)
    worker_wait_seconds = Float(
        300.0,
        min=0.0,
        help="How long a worker waits ready after the last job, in seconds; 0 for none that waits. Jobs start half a "
        "second sooner by it. It is a process of its own with about 40 MB of memory that no other shares, on Linux "
        "alone; it is started with the first job and ends with the server.",
    ).tag(config=True)
    max_build_bytes = Integer(0, min=0, help="How many bytes of packages a build may have; 0 for no limit.").tag(
        config=True
    )

    docker_base_image = Unicode(
        "docker://debian:bookworm-slim",
        help="What Docker images stand on: docker://HOST/NAME:TAG (or @sha256:DIGEST), an OCI layout in a folder "
        "(oci:DIR) or a file (oci-archive:FILE), or scratch for nothing at all. `jupyter envstore base-image DIR` "
        "makes a small one of this machine's own libraries, for where no registry is in reach.",
    ).tag(config=True)

    docker_insecure_registries = List(
        Unicode(),
        help="Registries, HOST or HOST:PORT, that are asked over plain HTTP when a base is pulled or an image pushed, "
        "as Docker's insecure-registries are; passwords travel in the clear then. This machine's own always are.",
    ).tag(config=True)

    constructor = Unicode(
        "",
        help="Path of constructor's program, which makes installers. Default: the one on PATH; else it is linked from "
        "the default channels, where they have it; else installers are self-extracting ones.",
    ).tag(config=True)

    public_url = Unicode(
        "",
        help="The address at which others reach this server, such as https://envs.example.org/; notebooks remember it, "
        "so that whoever gets one knows where its environment is. Default: none is remembered. No user name, "
        "password, token or query belongs in it.",
    ).tag(config=True)

    sandbox = Enum(
        ("none", "bubblewrap"),
        default_value="none",
        help="Where code of packages runs when environments are built and checked: link and activation scripts, source "
        "archives of PyPI, imported modules, the environments' own Python. none: as the account of the store, which "
        "it can read and change. bubblewrap: in a sandbox that shows it the environment and the system's programs "
        "alone; it needs the programs bwrap and prlimit, and a system that lets accounts use user namespaces.",
    ).tag(config=True)
    sandbox_reads = List(
        Unicode(),
        help="Folders that code of packages may read in the sandbox beside those of the system, such as /opt/cuda.",
    ).tag(config=True)
    share_prefixes = Bool(
        False,
        help="Whether other accounts of this machine, or of those that mount root_dir, may read the environments, to "
        "use them in place. Database, packages, artifacts and logs are closed to them all the same.",
    ).tag(config=True)

    block_private_addresses = Bool(
        False,
        help="Whether builds, previews and searches are kept from addresses of this machine and of private networks, "
        "which whoever names a channel, an index, a lockfile or a base image could have opened otherwise; redirects "
        "and names are followed to their addresses. Default: yes for `jupyter envstore serve`, no elsewhere.",
    ).tag(config=True)
    allowed_addresses = List(
        Unicode(),
        help="Private addresses that may be reached all the same, such as a mirror: host, host:port, or a network such "
        "as 10.1.0.0/16.",
    ).tag(config=True)

    ask_other_stores = Bool(
        True,
        help="Whether the stores that this account is logged in to (`jupyter envstore login`) are asked for the build "
        "of a notebook that this store does not have. They are asked for the owner of the account alone, and told "
        "only the hash of the build record.",
    ).tag(config=True)

    default_settings = Dict(
        help="Values of settings where nobody set any: key to value, as in `jupyter envstore setting`."
    ).tag(config=True)

    @default("root_dir")
    def _default_root_dir(self) -> str:
        return str(Path(jupyter_data_dir()) / "envstore")

    def store_config(self, **overrides: Any) -> StoreConfig:
        """Return the configuration as plain values.

        Raises
        ------
        InvalidInputError
            A default setting, the base of images or the public address cannot be used.
        """
        check_settings(self.default_settings, in_scope=False)
        check_base(self.docker_base_image)
        check_public_url(self.public_url)
        fields = [name for name in StoreConfig.__dataclass_fields__ if name not in _OF_WORKERS]
        values = {name: getattr(self, name) for name in fields} | overrides
        if values["block_private_addresses"]:  # what the admin names may be reached
            named = _hosts_of(
                [self.channel_alias, *_addresses(self.default_settings), _base_address(self.docker_base_image)]
            )
            values["allowed_addresses"] = [*values["allowed_addresses"], *named]
        values["root_dir"] = str(Path(values["root_dir"]).expanduser().resolve())
        return StoreConfig(**values, settings=normalized(self.default_settings))


def _addresses(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the addresses that default settings name."""
    for key in ADDRESSES:
        value = settings.get(key) or ()
        yield from [value] if isinstance(value, str) else value


def _base_address(base: str) -> str:
    """Return the address of the registry of a base image; empty where it is none."""
    scheme, _, rest = base.partition("://")
    host, slash, _ = rest.partition("/")
    host = host if slash else ""  # else it is the name of an image
    return f"https://{host}" if scheme == "docker" and ("." in host or ":" in host) else ""


def _hosts_of(addresses: Iterable[str]) -> list[str]:
    """Return the hosts of some addresses with their ports."""
    found = []
    for address in addresses:
        parts = urlsplit(str(address))
        if parts.scheme in ("http", "https") and parts.hostname:
            found.append(f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}")
    return list(dict.fromkeys(found))


def check_public_url(url: str) -> None:
    """Refuse an address that notebooks must not or cannot remember; an empty one is right.

    Raises
    ------
    InvalidInputError
        It is no address of the web, or has what others should not see.
    """
    if not url:
        return
    try:
        check_url(url, "public_url")
    except ValueError as error:
        raise InvalidInputError(str(error)) from None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        msg = f"public_url {url!r} is not the address of a server; one looks like https://envs.example.org/"
        raise InvalidInputError(msg)


OF_SERVERS = (
    "admins",
    "artifact_wait_seconds",
    "collect_hours",
    "docker_registry_certfile",
    "docker_registry_ip",
    "docker_registry_keyfile",
    "docker_registry_port",
    "docker_registry_url",
    "identity_mapper",
    "kernel_namespaces",
    "kernel_token_hours",
    "predefined_tokens",
    "role_bindings",
    "shared",
    "unauthenticated_role_bindings",
    "user_kernels",
)
"""Traits of ``EnvStoreApp`` that only servers have: commands read the same files, and do not wonder at them."""


def fault_of(error: TraitError, kind: type) -> str:
    """Return what is wrong with an option, without its value, which may be a password."""
    words = str(error).replace(f"of {add_article(kind.__name__)} instance", "of c.EnvStoreApp")
    return re.sub(r", not (?:the|a|an) (\w+).*", r", not a value of type \1", words, flags=re.DOTALL)


class ConfigurationFiles(StoreTraits, RemoteTraits, JupyterApp):
    """Reads Jupyter's configuration files without a server: those that the server reads, and in its order.

    It reads ``jupyter_config`` and ``jupyter_envstore_config``; what ``jupyter_config`` and ``jupyter_server_config``
    say of ``EnvStoreApp`` comes over that, as jupyter_server hands it to an extension
    (``ExtensionApp._link_jupyter_server_extension``).
    """

    name = "jupyter-envstore"
    version = __version__
    config_file_name = Unicode("jupyter_envstore_config")
    files_read: tuple[str, ...] = ()
    fault = ""
    """What is wrong with the value of an option; told when the configuration is asked for."""

    @classmethod
    def section_names(cls) -> list[str]:
        """Return the sections of the configuration that hold here: those of the server's application."""
        return [*super().section_names(), "EnvStoreApp"]

    def load_config_file(self, suppress_errors: bool = True) -> None:  # type: ignore[override]  # as JupyterApp's
        """Read the files; what they print goes to the log's stream, since output is for what a command prints."""
        with contextlib.redirect_stdout(sys.stderr):
            super().load_config_file(suppress_errors)
            server = ServerFiles(log=self.log)
            server.load_config_file(suppress_errors)
        self.files_read = tuple(dict.fromkeys((*self.loaded_config_files, *server.loaded_config_files)))
        self.update_config(Config({"EnvStoreApp": server.config.EnvStoreApp}))

    def update_config(self, config: Config) -> None:
        """Take over what holds here."""
        found = copy.deepcopy(config)
        known = self.trait_names()
        for name in OF_SERVERS:
            if name not in known and "EnvStoreApp" in found:
                found.EnvStoreApp.pop(name, None)
        try:
            super().update_config(found)
        except TraitError as error:  # JupyterApp would end the process
            self.fault = self.fault or f"the configuration cannot be used: {fault_of(error, type(self))}"

    def store_config(self, **overrides: Any) -> StoreConfig:
        """Return the configuration of the store.

        Raises
        ------
        InvalidInputError
            A part of it cannot be used.
        """
        if self.fault:
            raise InvalidInputError(self.fault)
        return super().store_config(**overrides)

    def command_config(self, root: str | None = None) -> StoreConfig:
        """Return the configuration of the store that commands work on, ``root`` given first place.

        Raises
        ------
        InvalidInputError
            As :meth:`StoreTraits.store_config`.
        """
        return self.store_config(worker_wait_seconds=0.0, **({"root_dir": root} if root else {}))


class ServerFiles(JupyterApp):
    """Reads what a Jupyter server reads."""

    name = "jupyter-server"
    config_file_name = Unicode("jupyter_server_config")


def own_file() -> Path:
    """Return the configuration file of a person, which both the server and the command line read."""
    return Path(jupyter_config_dir()) / "jupyter_envstore_config.py"


def read_files() -> ConfigurationFiles:
    """Return what Jupyter's configuration files say."""
    app = ConfigurationFiles()
    app.initialize([])
    return app


def load_config(root: str | None = None) -> StoreConfig:
    """Return the configuration from Jupyter's files, ``root`` given first place.

    Raises
    ------
    InvalidInputError
        A part of it cannot be used.
    """
    return read_files().command_config(root)
