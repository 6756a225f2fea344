"""EnvStore: the use cases, one method for each thing a person can do."""

from jupyter_envstore.envstore.artifacts import Artifacts
from jupyter_envstore.envstore.base import BuildRef
from jupyter_envstore.envstore.changing import Changing
from jupyter_envstore.envstore.keeping import Keeping
from jupyter_envstore.envstore.looking import Looking

__all__ = ["BuildRef", "EnvStore"]


class EnvStore(Changing, Looking, Artifacts, Keeping):
    """A store of environments, open in this process."""
