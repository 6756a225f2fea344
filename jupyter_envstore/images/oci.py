"""The words of the OCI image specification: descriptors, manifests, configurations, their media types."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFESTS = (MANIFEST, DOCKER_MANIFEST)
INDEXES = (INDEX, DOCKER_INDEX)
LAYERS = {
    "application/vnd.docker.image.rootfs.diff.tar.gzip": LAYER_GZIP,
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
    LAYER_GZIP: LAYER_GZIP,
    "application/vnd.oci.image.layer.v1.tar": "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
}
"""Media types of layers, each to its name in the OCI specification."""
ARCHITECTURES = {"64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64"}
"""Second parts of conda's Linux platforms, to what Go calls them."""
CREATED = "1980-01-01T00:00:00Z"
"""When images were made, as they say: always the same, so that their digests are."""


@dataclass(frozen=True)
class Layer:
    """A layer: digest and size of the compressed tar file, digest of the plain one (``diff_id``), in hexadecimal."""

    digest: str
    size: int
    diff_id: str
    media_type: str = LAYER_GZIP

    def descriptor(self) -> dict[str, Any]:
        """Return what a manifest says of it (OCI image specification, ``descriptor.md``)."""
        return {"mediaType": self.media_type, "digest": f"sha256:{self.digest}", "size": self.size}


class LayerCache(Protocol):
    """Layers that the store has made before, by what they are made of: each is made once for the whole store."""

    def find(self, keys: Iterable[str]) -> dict[str, Layer]:
        """Return the layers of keys, by key, where their files are there; they stay until the image is done."""

    def add(self, key: str, layer: Layer) -> None:
        """Remember a layer that was made."""


@dataclass(frozen=True)
class Base:
    """What an image stands on: its layers, from the lowest to the highest, and what its configuration says.

    Parameters
    ----------
    name : str
        What it is called: in a registry its reference, with its digest; else what kind it is and its digest, since
        no path of this machine belongs into an image.
    """

    name: str
    layers: tuple[Layer, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[Mapping[str, Any], ...] = ()

    @property
    def reference(self) -> str:
        """Where a registry has it; empty where none does."""
        place, _, digest = self.name.partition("@")
        return place if digest and not place.startswith("oci") else ""

    @property
    def digest(self) -> str:
        """Digest of its manifest or index, ``sha256:…``; empty for none."""
        return self.name.partition("@")[2]


def canonical(value: Any) -> bytes:
    """Return JSON whose bytes depend on the value alone."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data: bytes) -> str:
    """Return the digest in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def architecture(platform: str) -> str:
    """Return the architecture of a conda platform such as ``linux-64``, as images name it."""
    return ARCHITECTURES.get(platform.partition("-")[2], platform.partition("-")[2])


def image_config(
    platform: str,
    base: Base,
    layers: Sequence[tuple[str, Layer]],
    runs: Mapping[str, Any],
) -> bytes:
    """Return an image's configuration (OCI image specification, ``config.md``).

    Parameters
    ----------
    layers : sequence of (str, Layer)
        What stands on the base, each with what it is.
    runs : mapping
        How it is run: ``Env``, ``Cmd``, …
    """
    history = [dict(entry) for entry in base.history]
    made = [{"created": CREATED, "created_by": f"jupyter-envstore: {what}"} for what, _ in layers]
    if not history:
        history = [{"created": CREATED, "created_by": f"base {base.digest or base.name}"} for _ in base.layers]
    return canonical(
        {
            "created": CREATED,
            "architecture": architecture(platform),
            "os": "linux",
            "config": dict(runs),
            "rootfs": {
                "type": "layers",
                "diff_ids": [f"sha256:{layer.diff_id}" for layer in (*base.layers, *(layer for _, layer in layers))],
            },
            "history": [*history, *made],
        }
    )


def manifest(config: bytes, layers: Sequence[Layer], annotations: Mapping[str, str]) -> bytes:
    """Return an image's manifest (OCI image specification, ``manifest.md``)."""
    return canonical(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": f"sha256:{sha256(config)}", "size": len(config)},
            "layers": [layer.descriptor() for layer in layers],
            "annotations": dict(annotations),
        }
    )


def parts_of(manifest_data: bytes) -> list[tuple[str, int]]:
    """Return digest (hexadecimal) and size of everything that a manifest names, its configuration first."""
    value = json.loads(manifest_data)
    found = [value["config"], *value["layers"]]
    return list(dict.fromkeys((item["digest"].partition(":")[2], item["size"]) for item in found))
