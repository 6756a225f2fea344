"""What commands and servers read of the same files."""

from __future__ import annotations

from jupyter_envstore.application.app import EnvStoreApp
from jupyter_envstore.application.configuration import OF_SERVERS, ConfigurationFiles


def test_what_only_servers_have_is_known_to_commands() -> None:
    ours = [kind for kind in EnvStoreApp.__mro__ if kind.__module__.startswith("jupyter_envstore")]
    of_servers = {name for kind in ours for name in kind.class_own_traits(config=True)}
    assert sorted(of_servers - set(ConfigurationFiles.class_trait_names())) == list(OF_SERVERS)
