"""Build records on their way to a registry, and back."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.engine.record_reader import MAX_BYTES
from jupyter_envstore.errors import ImageError
from jupyter_envstore.images.oci import INDEX, MANIFEST, MANIFESTS, sha256
from jupyter_envstore.images.record_artifact import (
    EMPTY,
    RECORD,
    Descriptor,
    RecordArtifact,
    is_record,
    listed_records,
    read_artifact,
    referrers_index,
)
from jupyter_envstore.images.reference import RECORD_SCHEME, Reference
from jupyter_envstore.images.registry_client import MissingError, Part, RegistryClient, Report, referrers_tag
from jupyter_envstore.spec.lock_entries import BuiltWheel

PIECE = 1 << 20


@dataclass(frozen=True)
class Pushed:
    """What came of a push: the digest of the manifest, bytes that were sent, the image that it is attached to."""

    digest: str
    sent: int
    attached_to: str = ""


@dataclass(frozen=True)
class Pulled:
    """A build record from a registry: its bytes, what is told of it, and the digest of its manifest."""

    data: bytes
    artifact: RecordArtifact
    digest: str


def push_record(
    blobs: BlobStore,
    artifact: RecordArtifact,
    target: Reference,
    report: Report,
    plain_hosts: Collection[str] = (),
) -> Pushed:
    """Send a build record; the manifest goes last, so that nobody finds a record that is not whole.

    If there is an image under the tag, it stays there, and the record refers to it.

    Raises
    ------
    RegistryUnreachableError, ImageError
        The registry does not answer, or refuses.
    """
    client = RegistryClient(target, plain_hosts, writes=True)
    image = _image_there(client)
    if image is None and target.digest:
        msg = f"{target} is not there; push to a tag, or to the digest of an image that is in the registry"
        raise ImageError(msg)
    artifact = replace(artifact, subject=image)
    sizes = {artifact.digest: artifact.size} | {wheel["sha256"]: wheel["size"] for wheel in artifact.wheels}
    parts = [Part(sha256(EMPTY), len(EMPTY), partial(io.BytesIO, EMPTY))]
    parts += [Part(digest, size, partial(blobs.open, digest)) for digest, size in sizes.items()]
    sent = client.push_missing(parts, report)
    data = artifact.manifest()
    own = f"sha256:{sha256(data)}"
    noted = client.push_manifest(data, MANIFEST, own if image else "")
    if image is not None and not noted:
        _note_referrer(client, image.digest, artifact.listed())
    return Pushed(own, sent, image.digest if image else "")


def pull_record(source: Reference, plain_hosts: Collection[str] = ()) -> Pulled:
    """Fetch a build record: the one that a reference names, or that refers to the image which it names.

    Raises
    ------
    RegistryUnreachableError, ImageError
        The registry does not answer; there is no record, or several; or it is damaged.
    """
    client = RegistryClient(source, plain_hosts)
    data, _, digest = client.manifest(prefer=RECORD)
    manifest = _json(data, source)
    if not is_record(manifest):
        found = [item for page in client.referrers(digest, RECORD) for item in listed_records(page)]
        digests = list(dict.fromkeys(str(item["digest"]) for item in found))
        if not digests:
            msg = f"{source} is no build record, and none refers to it; push one with: jupyter envstore push"
            raise ImageError(msg)
        if len(digests) > 1:
            place = f"{RECORD_SCHEME}{source.host}/{source.name}"
            names = ", ".join(f"{place}@{digest}" for digest in digests[:5])
            msg = f"{len(digests)} build records refer to {source}; name one by its digest: {names}"
            raise ImageError(msg)
        data, _, digest = client.manifest(digests[0])
        manifest = _json(data, source)
    if not is_record(manifest):
        msg = f"{source}: {digest} is no build record"
        raise ImageError(msg)
    artifact = read_artifact(manifest)
    if artifact.size > MAX_BYTES:
        msg = f"the build record of {source} has {artifact.size} bytes; at most {MAX_BYTES} are read"
        raise ImageError(msg)
    with client.blob(f"sha256:{artifact.digest}") as answer:
        record = answer.read(artifact.size + 1)
    if len(record) != artifact.size or sha256(record) != artifact.digest:
        msg = f"the registry sent another build record than sha256:{artifact.digest}"
        raise ImageError(msg)
    return Pulled(record, artifact, digest)


def pull_wheels(
    source: Reference, wheels: Collection[BuiltWheel], blobs: BlobStore, plain_hosts: Collection[str]
) -> None:
    """Fetch the wheels that go along with a build record into the store, each checked by its digest and its size.

    A file that the store has already is fetched all the same: a record that somebody wrote must not make its own what
    belongs to others.

    Raises
    ------
    RegistryUnreachableError, ImageError, StorageError
        The registry does not answer; or it sends something else.
    """
    client = RegistryClient(source, plain_hosts)
    for wheel in wheels:
        with client.blob(f"sha256:{wheel['sha256']}") as answer, blobs.create(wheel["sha256"]) as blob:
            left = wheel["size"]
            while piece := answer.read(min(PIECE, left + 1)):
                left -= len(piece)
                if left < 0:
                    msg = f"the registry sent another file than the wheel {wheel['filename']} of the build record"
                    raise ImageError(msg)
                blob.write(piece)
            if left:
                msg = f"the registry sent only a part of the wheel {wheel['filename']} of the build record"
                raise ImageError(msg)


def _image_there(client: RegistryClient) -> Descriptor | None:
    """Return the image that is under the tag; None where nothing is, or a build record."""
    try:
        data, media_type, digest = client.manifest(prefer=RECORD)
    except MissingError:
        return None
    if media_type in MANIFESTS and is_record(_json(data, client.reference)):
        return None
    return Descriptor(media_type, digest, len(data))


def _note_referrer(client: RegistryClient, digest: str, listed: Mapping[str, Any]) -> None:
    """Add a record to the index that stands for the list of referrers in a registry that has none."""
    known = client.tagged_referrers(digest)
    others: list[Mapping[str, Any]] = []
    if known:
        found = _json(known, client.reference).get("manifests")
        others = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    others = [item for item in others if item.get("digest") != listed["digest"]]
    client.push_manifest(referrers_index([*others, listed]), INDEX, referrers_tag(digest))


def _json(data: bytes, source: Reference) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        msg = f"what the registry has as {source} is no manifest"
        raise ImageError(msg)
    return found
