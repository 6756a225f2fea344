"""The environments that jupyter-scheduler offers for a job."""

from __future__ import annotations

from jupyter_scheduler.environments import EnvironmentManager, EnvironmentRetrievalError
from jupyter_scheduler.models import RuntimeEnvironment
from jupyter_server import CallContext
from jupyter_server.serverapp import ServerApp

from jupyter_envstore.database.paging import Filters, Page
from jupyter_envstore.errors import EnvStoreError
from jupyter_envstore.policy.access import Identity
from jupyter_envstore.representation.conda_store_types import EnvironmentJson
from jupyter_envstore.server.context import ServerContext, context_of

OWN = "notebook"
"""The choice that a notebook runs in what it remembers itself. No environment is called so: they have a namespace."""
OUTPUTS = {"ipynb": "Notebook", "html": "HTML"}


class EnvStoreEnvironments(EnvironmentManager):
    """Lists the active builds that have a kernel; a job keeps the number of the build that it was made with."""

    async def list_environments(self) -> list[RuntimeEnvironment]:
        """Return what a notebook can run in, of what the user may read.

        Raises
        ------
        EnvironmentRetrievalError
            The store cannot be opened.
        """
        own = _environment(OWN, "The environment of the notebook", "Each notebook runs in the build it was written in.")
        context = context_of(ServerApp.instance().web_app.settings)
        try:
            await context.access.ready()
            identity = await _identity(context)
            return [own, *[_of_row(row) for row in await _rows(context, identity)]]
        except EnvStoreError as error:
            raise EnvironmentRetrievalError(str(error)) from None

    def manage_environments_command(self) -> str:
        """Return the command of JupyterLab that shows the environments."""
        return "envstore:open-panel"

    def output_formats_mapping(self) -> dict[str, str]:
        """Return the formats of results, with their titles."""
        return dict(OUTPUTS)


async def _identity(context: ServerContext) -> Identity:
    """Return who asks: jupyter-scheduler has let them in already."""
    handler = CallContext.get(CallContext.JUPYTER_HANDLER)
    user = None if handler is None else handler.current_user
    return context.access.rules.nobody() if user is None else await context.identities.of_user(user)


async def _rows(context: ServerContext, identity: Identity) -> list[EnvironmentJson]:
    """Return the environments that the identity may read, and that have a kernel."""
    store, filters = context.access.store, Filters(visible=identity.visible())
    _, rows = await context.threads.run(store.environments.page, identity, filters, Page(size=None))
    return [row for row in rows if row["active"] and context.access.kernels.state(row["id"]).ids]


def _of_row(row: EnvironmentJson) -> RuntimeEnvironment:
    place = f"{row['namespace']['name']}/{row['name']}"
    build = row["current_build"]
    number = build["number"] if build else 0
    return _environment(f"{place}:{number}", f"{place}, build {number}", row["description"] or place)


def _environment(name: str, label: str, description: str) -> RuntimeEnvironment:
    return RuntimeEnvironment(
        name=name, label=label, description=description, file_extensions=["ipynb"], output_formats=list(OUTPUTS)
    )
