"""Where workers run: what starts them, and how it is chosen."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from jupyter_envstore.builds.cluster_options import DASK
from jupyter_envstore.builds.executor import Executor
from jupyter_envstore.builds.local_executor import LOCAL, LocalExecutor
from jupyter_envstore.builds.split_executor import SplitExecutor
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.errors import InvalidInputError

GROUP = "jupyter_envstore.executors"
"""Entry points of other packages: each is called with the :class:`StoreConfig` and returns an :class:`Executor`."""


def executor_for(config: StoreConfig) -> Executor:
    """Return the executor that a configuration names.

    Raises
    ------
    InvalidInputError
        No package has an executor of this name, or it cannot be made.
    """
    if config.executor == LOCAL:  # without a look at what is installed
        return LocalExecutor(config)
    made: Executor
    if config.executor == DASK:
        from jupyter_envstore.builds.dask_executor import DaskExecutor

        made = DaskExecutor(config)
    else:
        made = _made_by_entry_point(config)
    own_folders = getattr(made, "own_folders", False)
    return SplitExecutor(made, LocalExecutor(config)) if own_folders else made


def _made_by_entry_point(config: StoreConfig) -> Executor:
    points: dict[str, EntryPoint] = {point.name: point for point in entry_points(group=GROUP)}
    point = points.get(config.executor)
    if point is None:
        known = ", ".join((LOCAL, DASK, *sorted(points)))
        msg = f"executor {config.executor!r} is not known; known: {known} (c.EnvStoreApp.executor)"
        raise InvalidInputError(msg)
    try:
        made: Executor = point.load()(config)
    except InvalidInputError:
        raise
    except Exception as error:  # another package's code may raise anything
        msg = f"executor {point.name!r} ({point.value}) cannot be made: {error!r}; see c.EnvStoreApp.executor"
        raise InvalidInputError(msg) from error
    return made
