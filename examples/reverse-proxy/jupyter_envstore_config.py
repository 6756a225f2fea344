"""A store for a team without a hub: whoever has a token may use it."""

import os

c = get_config()  # noqa: F821 - the service gives it

c.EnvStoreApp.root_dir = "/srv/envstore"
c.EnvStoreApp.sandbox = "bubblewrap"
c.EnvStoreApp.public_url = "https://envs.example/"
# Tokens, long and random, one for each person. Who makes others with it (POST envstore/api/v1/token/) is that person.
c.EnvStoreApp.predefined_tokens = {
    os.environ["ENVSTORE_ADMIN_TOKEN"]: {"name": "admin", "role_bindings": {"*/*": ["admin"]}}
}
