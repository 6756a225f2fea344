"""A server of a store on a cluster; several of them stand behind a proxy. All of them have the same configuration."""

import json
import os

c = get_config()  # noqa: F821 - the service gives it

# Environments and caches; the servers share this folder.
c.EnvStoreApp.root_dir = os.environ.get("ENVSTORE_ROOT", "/srv/envstore")
c.EnvStoreApp.database_url = os.environ["ENVSTORE_DATABASE_URL"]
c.EnvStoreApp.blob_url = os.environ["ENVSTORE_BLOB_URL"]
c.EnvStoreApp.blob_options = json.loads(os.environ.get("ENVSTORE_BLOB_OPTIONS", "{}"))
c.EnvStoreApp.blob_redirects = bool(os.environ.get("ENVSTORE_BLOB_REDIRECTS"))

c.EnvStoreApp.executor = "dask"
c.EnvStoreApp.executor_options = {
    "address": os.environ["ENVSTORE_DASK"],
    "worker_root_dir": "$ENVSTORE_WORKER_ROOT",  # each worker has its own
    "send_credentials": False,  # workers have ENVSTORE_DATABASE_URL and ENVSTORE_BLOB_OPTIONS themselves
}
c.EnvStoreApp.max_concurrent_builds = int(os.environ.get("ENVSTORE_BUILDS", "6"))

c.EnvStoreApp.sandbox = os.environ.get("ENVSTORE_SANDBOX", "bubblewrap")
c.EnvStoreService.allow_unsandboxed = c.EnvStoreApp.sandbox == "none"
c.EnvStoreService.trust_proxy = True
c.EnvStoreApp.allow_local_files = bool(os.environ.get("ENVSTORE_LOCAL_FILES"))  # run_here.py --check has them
c.EnvStoreApp.predefined_tokens = {
    os.environ["ENVSTORE_ADMIN_TOKEN"]: {"name": "admin", "role_bindings": {"*/*": ["admin"]}}
}
