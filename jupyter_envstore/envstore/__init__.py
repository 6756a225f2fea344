"""EnvStore: the use cases, one method for each thing a person can do."""

from jupyter_envstore.envstore.artifacts import Artifacts
from jupyter_envstore.envstore.base import BuildRef
from jupyter_envstore.envstore.changing import Changing
from jupyter_envstore.envstore.channel import Channel
from jupyter_envstore.envstore.deleting import Deleting
from jupyter_envstore.envstore.demand import OnDemand
from jupyter_envstore.envstore.images import Images
from jupyter_envstore.envstore.keeping import Keeping
from jupyter_envstore.envstore.kept import Kept
from jupyter_envstore.envstore.looking import Looking
from jupyter_envstore.envstore.pages import Pages
from jupyter_envstore.envstore.people import People
from jupyter_envstore.envstore.spaces import Spaces
from jupyter_envstore.envstore.submitting import Submitting

__all__ = ["BuildRef", "EnvStore"]


class EnvStore(
    OnDemand, Deleting, Submitting, Changing, Looking, Images, Channel, Artifacts, Keeping, Kept, Spaces, People, Pages
):
    """A store of environments, open in this process."""
