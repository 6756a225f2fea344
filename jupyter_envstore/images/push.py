"""An image on its way to another registry: layers that it has are skipped."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.images.oci import MANIFEST, parts_of
from jupyter_envstore.images.reference import Reference
from jupyter_envstore.images.registry_client import Part, RegistryClient, Report


def push_image(
    blobs: BlobStore,
    digest: str,
    target: Reference,
    report: Report,
    plain_hosts: Collection[str] = (),
) -> int:
    """Send an image; the manifest goes last, so that nobody finds an image that is not whole.

    Parameters
    ----------
    digest : str
        SHA-256 of the manifest, in hexadecimal.
    report : callable
        Told of each part: its digest, its bytes, whether it was sent or is there already.
    plain_hosts : collection of str
        Hosts that speak plain HTTP.

    Returns
    -------
    int
        How many bytes were sent.

    Raises
    ------
    RegistryUnreachableError, ImageError
        The registry does not answer, or refuses.
    """
    client = RegistryClient(target, plain_hosts, writes=True)
    data = blobs.read(digest)
    parts = (Part(part, size, partial(blobs.open, part)) for part, size in parts_of(data))
    sent = client.push_missing(parts, report)
    client.push_manifest(data, MANIFEST)
    return sent
