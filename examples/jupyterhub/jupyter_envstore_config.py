"""The store of a JupyterHub: what it builds from, and where code of packages runs."""

c = get_config()  # noqa: F821 - the service gives it

c.EnvStoreApp.root_dir = "~/envstore"  # in the home of the account; a short path on a disk with room
c.EnvStoreApp.sandbox = "bubblewrap"  # apt install bubblewrap
