"""A JupyterHub with one store of environments for everybody.

The store runs as a service of the hub, under an account of its own. Change the two lines that are marked.
"""

import shutil
from pathlib import Path

c = get_config()  # noqa: F821 - JupyterHub gives it

ACCOUNT = "envstore"  # the Unix account that the store belongs to: useradd --system --create-home envstore
NAMESPACE_OF_GROUPS = {"data": ["jo", "kim"]}  # groups of the hub: each has a namespace of the same name

HERE = Path(__file__).parent

c.JupyterHub.services = [
    {
        "name": "envstore",
        "display": True,
        "url": "http://127.0.0.1:8890",
        "user": ACCOUNT,
        "oauth_no_confirm": True,  # people are not asked whether the store may know their names
        "command": [
            shutil.which("jupyter-envstore") or "jupyter-envstore",
            "serve",
            f"--config={HERE / 'jupyter_envstore_config.py'}",
        ],
    }
]
USE = "access:services!service=envstore"
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": ["self", USE]},  # in a browser
    {"name": "server", "scopes": ["users:activity!user", "access:servers!server", USE]},  # from their own servers
    {"name": "envstore", "scopes": ["read:users"], "services": ["envstore"]},  # the store asks who is in which group
]
# the extension in people's own servers shows this store: ENVSTORE_REMOTE_URL is its address there, through the proxy
c.Spawner.environment = {"ENVSTORE_REMOTE_URL": "http://127.0.0.1:8000/services/envstore/"}
c.JupyterHub.load_groups = {name: {"users": people} for name, people in NAMESPACE_OF_GROUPS.items()}
