"""A store in a container, which others reach: the hub's proxy is in front of it."""

c = get_config()  # noqa: F821 - the service gives it

c.EnvStoreApp.root_dir = "/srv/envstore"
c.EnvStoreApp.sandbox = "bubblewrap"
c.EnvStoreService.ip = "0.0.0.0"  # noqa: S104 - of the container; a network policy lets the proxy of the hub in alone
c.EnvStoreService.port = 8890
c.EnvStoreService.trust_proxy = True
