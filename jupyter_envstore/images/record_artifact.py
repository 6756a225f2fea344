"""A build record as an artifact in a registry: its manifest, written and read.

The form is that of the OCI image specification 1.1 ("Guidelines for artifact usage"): an empty configuration, the type
of the artifact, and the build record as the first layer, so that the layer's digest is the one that the record is known
by. Wheels that were built from source archives are further layers, since no index has them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_envstore.errors import ImageError
from jupyter_envstore.images.oci import INDEX, MANIFEST, canonical, sha256
from jupyter_envstore.images.reference import DIGEST
from jupyter_envstore.spec.lock_entries import BuiltWheel

RECORD = "application/vnd.jupyter-envstore.build-record.v1+json"
"""Type of the artifact, and media type of its first layer."""
WHEEL = "application/vnd.jupyter-envstore.wheel.v1"
EMPTY = b"{}"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
TITLE = "org.opencontainers.image.title"
BUILD = "dev.jupyter-envstore.build"
"""Annotation: the number of the build in its environment."""
PLATFORMS = "dev.jupyter-envstore.platforms"
"""Annotation: the platforms that the record is locked for, with commas between."""
MAX_WHEELS = 1_000


@dataclass(frozen=True)
class Descriptor:
    """What points at something in a registry: media type, digest (``sha256:…``), bytes."""

    media_type: str
    digest: str
    size: int

    def to_json(self) -> dict[str, Any]:
        """Return it as manifests have it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True)
class RecordArtifact:
    """A build record as a registry has it.

    Parameters
    ----------
    digest : str
        SHA-256 of the record, in hexadecimal.
    size : int
        Bytes of the record.
    wheels : tuple of BuiltWheel
        Wheels that go along.
    annotations : mapping
        What people are told of it.
    subject : Descriptor or None
        The image that it is attached to.
    """

    digest: str
    size: int
    wheels: tuple[BuiltWheel, ...] = ()
    annotations: Mapping[str, str] | None = None
    subject: Descriptor | None = None

    def manifest(self) -> bytes:
        """Return the manifest; the same artifact gives the same bytes."""
        record = Descriptor(RECORD, f"sha256:{self.digest}", self.size).to_json()
        layers = [{**record, "annotations": {TITLE: "build-record.json"}}]
        for wheel in self.wheels:
            found = Descriptor(WHEEL, f"sha256:{wheel['sha256']}", wheel["size"]).to_json()
            layers.append({**found, "annotations": {TITLE: wheel["filename"]}})
        value: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": RECORD,
            "config": Descriptor(EMPTY_TYPE, f"sha256:{sha256(EMPTY)}", len(EMPTY)).to_json(),
            "layers": layers,
            "annotations": dict(self.annotations or {}),
        }
        return canonical(value | ({"subject": self.subject.to_json()} if self.subject else {}))

    def listed(self) -> dict[str, Any]:
        """Return what an index of referrers says of it."""
        data = self.manifest()
        found = Descriptor(MANIFEST, f"sha256:{sha256(data)}", len(data)).to_json()
        return {**found, "artifactType": RECORD, "annotations": dict(self.annotations or {})}


def annotations_of(place: str, number: int, description: str, platforms: Sequence[str]) -> dict[str, str]:
    """Return what people are told of a record in a registry."""
    found = {TITLE: place, BUILD: str(number), PLATFORMS: ",".join(sorted(platforms))}
    return found | ({"org.opencontainers.image.description": description} if description else {})


def is_record(manifest: Mapping[str, Any]) -> bool:
    """Whether a manifest, or a descriptor of one, is that of a build record."""
    return manifest.get("artifactType") == RECORD


def read_artifact(manifest: Mapping[str, Any]) -> RecordArtifact:
    """Return what a manifest that somebody wrote says of a build record.

    Raises
    ------
    ImageError
        It does not have the form of one.
    """
    layers = manifest.get("layers")
    if not isinstance(layers, list) or not layers or len(layers) > MAX_WHEELS or not all(map(_is_descriptor, layers)):
        msg = "the manifest of the build record has no layers that can be read"
        raise ImageError(msg)
    record, *others = layers
    if record["mediaType"] != RECORD:
        msg = f"the first layer of the build record is {record['mediaType'][:80]!r}, not {RECORD}"
        raise ImageError(msg)
    wheels = tuple(
        BuiltWheel(filename=str(_title(layer)), sha256=_hex(layer["digest"]), size=layer["size"])
        for layer in others
        if layer["mediaType"] == WHEEL
    )
    told = manifest.get("annotations")
    annotations = {str(key): str(value) for key, value in told.items()} if isinstance(told, dict) else {}
    return RecordArtifact(_hex(record["digest"]), record["size"], wheels, annotations)


def referrers_index(listed: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the index of what refers to something (distribution specification, "listing referrers")."""
    return canonical({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(listed)})


def listed_records(index: bytes) -> list[Mapping[str, Any]]:
    """Return the build records that an index of referrers names; none where it is no index."""
    try:
        manifests = json.loads(index).get("manifests")
    except (ValueError, AttributeError, RecursionError):
        return []
    return (
        [item for item in manifests if _is_descriptor(item) and is_record(item)] if isinstance(manifests, list) else []
    )


def _is_descriptor(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("mediaType"), str)
        and isinstance(value.get("digest"), str)
        and DIGEST.fullmatch(value["digest"]) is not None
        and type(value.get("size")) is int
        and value["size"] >= 0
    )


def _title(layer: Mapping[str, Any]) -> str:
    annotations = layer.get("annotations")
    return str(annotations.get(TITLE, "")) if isinstance(annotations, dict) else ""


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")
