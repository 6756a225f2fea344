"""jupyter-scheduler: its jobs run in environments of the store. Named in its configuration; imported by it alone.

::

    c.SchedulerApp.environment_manager_class = "jupyter_envstore.scheduling.EnvStoreEnvironments"
    c.Scheduler.execution_manager_class = "jupyter_envstore.scheduling.EnvStoreExecution"
"""

from jupyter_envstore.scheduling.environments import EnvStoreEnvironments
from jupyter_envstore.scheduling.execution import EnvStoreExecution

__all__ = ["EnvStoreEnvironments", "EnvStoreExecution"]
