"""EnvStore: the use cases, one method for each thing a person can do."""

from jupyter_envstore.services.artifacts import Artifacts
from jupyter_envstore.services.base import BuildRef
from jupyter_envstore.services.build_changes import Changing
from jupyter_envstore.services.deletion import Deleting
from jupyter_envstore.services.dynamic_images import OnDemand
from jupyter_envstore.services.images import Images
from jupyter_envstore.services.listings import Pages
from jupyter_envstore.services.lookups import Looking
from jupyter_envstore.services.namespaces import Spaces
from jupyter_envstore.services.package_channel import Channel
from jupyter_envstore.services.package_keeping import Kept
from jupyter_envstore.services.people import People
from jupyter_envstore.services.settings import Keeping
from jupyter_envstore.services.submissions import Submitting

__all__ = ["BuildRef", "EnvStore"]


class EnvStore(
    OnDemand, Deleting, Submitting, Changing, Looking, Images, Channel, Artifacts, Keeping, Kept, Spaces, People, Pages
):
    """A store of environments, open in this process."""
