"""The Docker image: an OCI image made of a lock without Docker, in layers that images share."""

from __future__ import annotations

import stat
from pathlib import Path, PurePosixPath
from typing import Any

from jupyter_envstore.artifacts.archive import link_for_export, refuse_outside_links
from jupyter_envstore.artifacts.base import ArtifactRequest, version_of
from jupyter_envstore.engine.bytecode import link_bytecode
from jupyter_envstore.engine.environment_variables import Variables, read_variables
from jupyter_envstore.engine.prefix import write_new
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.engine.tarstream import Sink
from jupyter_envstore.errors import ArtifactError, InvalidInputError
from jupyter_envstore.images.base_images import fetch_base
from jupyter_envstore.images.known_layers import KnownLayers, known_layers
from jupyter_envstore.images.layers import OTHER_LAYERS, Linked, group_files, make_layers
from jupyter_envstore.images.oci import MANIFEST, Base, canonical, image_config, manifest, sha256
from jupyter_envstore.images.reference import SCRATCH

PREFIX = Path("/opt/conda")
"""Where environments lie in images."""
ENTRY_POINT = "etc/envstore/entrypoint.sh"
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SCRIPT = """#!/bin/sh
# Activates the environment, then runs what was asked for. Scripts of packages may be written for bash.
if [ -z "${BASH_VERSION-}" ] && [ -x /bin/bash ]; then
  exec /bin/bash "$0" "$@"
fi
for envstore_script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
  if [ -r "$envstore_script" ]; then
    . "$envstore_script"
  fi
done
unset envstore_script
exec "$@"
"""
FEWEST = 3
"""Layers that an environment needs: conda packages, PyPI packages, its own files."""
MOST_LAYERS = 125
"""What Docker's storage takes at most is 127; some space is left for who builds upon the image."""


class DockerImage:
    """An OCI manifest; its layers and its configuration are parts beside it. The registry serves them."""

    def check_variant(self, variant: str) -> None:
        """There is one.

        Raises
        ------
        InvalidInputError
            A variant is named.
        """
        if variant:
            msg = f"a Docker image has no variant {variant!r}"
            raise InvalidInputError(msg)

    def file_name(self, name: str, platform: str, variant: str) -> str:
        """``<name>.oci.tar``."""
        return f"{name}.oci.tar"

    def media_type(self, variant: str) -> str:
        """Of an OCI manifest."""
        return MANIFEST

    def make(self, request: ArtifactRequest, sink: Sink) -> dict[str, str]:
        """Fetch the base, link the record for ``/opt/conda``, write the layers that are new, and the manifest.

        Raises
        ------
        ArtifactError, ImageError
            The build is for another system than Linux; the base cannot be had.
        """
        if not request.platform.startswith("linux-"):
            msg = f"images run on Linux; this build is for {request.platform}"
            raise ArtifactError(msg)
        record, parts, config = request.record, request.parts, request.config
        base = fetch_base(
            config.docker_base_image,
            request.platform,
            parts.blobs,
            lambda layer: parts.keep(layer.digest, layer.size),
            config.packages / "images",
            config.docker_insecure_registries,
        )
        limit = _layers_left(base, request.settings["image_layers"])
        lock = record.lock(request.platform)
        tools = {"py-rattler": version_of("py-rattler"), "isal": version_of("isal"), "uv": version_of("uv")}
        known = KnownLayers()
        if request.products is None:  # scripts of packages have had no hand in any file
            known = known_layers(lock, PREFIX, tools, config.packages / "conda", parts, limit - OTHER_LAYERS)
        refuse_outside_links(known.outside_links, request)
        to_link = known.to_link or lock
        exported = link_for_export(request, PREFIX, to_link)
        compiled: dict[str, str] = {}
        link_bytecode(request.staging, to_link, request.bytecode, request.sandbox, request.progress, placed=compiled)
        if base.name != SCRATCH:
            script = request.staging / ENTRY_POINT
            script.parent.mkdir(parents=True, exist_ok=True)
            write_new(script, SCRIPT.encode(), 0o755)
        linked = Linked(exported.moment, config.packages / "conda", compiled)
        groups = group_files(request.staging, lock, limit, linked, known.layers)
        has_folders = any(stat.S_ISDIR(info.st_mode) for group in groups for info in group.files.values())
        layers = make_layers(
            request.staging,
            str(PREFIX),
            groups,
            tools,
            parts.blobs,
            parts,
            lambda done, total, what: request.progress.advance(done, total, "bytes", what),
            {} if exported.contested or has_folders else known.keys,  # nobody knows whose an empty folder is
        )
        before = f"{len(known.layers)} of them known before anything was linked"
        request.progress.log(f"{len(layers)} layers on {base.name}, {before}")
        for _, layer in layers:
            parts.keep(layer.digest, layer.size)
        labels = _labels(record, lock, base)
        image = image_config(request.platform, base, layers, runs(base, read_variables(request.staging), labels))
        stored = parts.blobs.put(image)
        parts.keep(stored.digest, stored.size)
        sink.write(manifest(image, [*base.layers, *(layer for _, layer in layers)], labels))
        return {**tools, "base image": base.name}


def runs(base: Base, variables: Variables, labels: dict[str, str]) -> dict[str, Any]:
    """Return how an image is run: the base's own words, and the environment in front of its path."""
    inherited = dict(entry.partition("=")[::2] for entry in base.config.get("Env") or ())
    path = inherited.get("PATH") or DEFAULT_PATH
    environment = {
        **inherited,
        "PATH": f"{PREFIX}/bin:{path}",
        "CONDA_PREFIX": str(PREFIX),
        "CONDA_DEFAULT_ENV": str(PREFIX),
        **variables.values,
    }
    kept = {key: base.config[key] for key in ("User", "Volumes", "StopSignal") if base.config.get(key)}
    entry = {} if base.name == SCRATCH else {"Entrypoint": ["/bin/sh", str(PurePosixPath(PREFIX) / ENTRY_POINT)]}
    return {
        **kept,
        "Env": [f"{name}={value}" for name, value in environment.items()],
        **entry,
        "Cmd": ["/bin/sh"],
        "WorkingDir": base.config.get("WorkingDir") or "/",
        "Labels": {**(base.config.get("Labels") or {}), **labels},
    }


def _layers_left(base: Base, allowed: int) -> int:
    """Return how many layers an image may have of its own.

    Raises
    ------
    ArtifactError
        The base leaves too few.
    """
    allowed = min(allowed, MOST_LAYERS)
    limit = allowed - len(base.layers)
    if limit < FEWEST:
        msg = (
            f"base image {base.name} has {len(base.layers)} layers of the {allowed} that image_layers allows; "
            f"{FEWEST} more are needed"
        )
        raise ArtifactError(msg)
    return limit


def _labels(record: BuildRecord, lock: PlatformLock, base: Base) -> dict[str, str]:
    """Return what an image says of itself (OCI image specification, "Annotations")."""
    labels = {
        "org.opencontainers.image.title": record.name,
        "org.opencontainers.image.version": record.sha256[:12],
        "org.opencontainers.image.revision": record.sha256,
        "dev.jupyter-envstore.lock.digest": f"sha256:{sha256(canonical(_lock_value(lock)))}",
    }
    if record.description:
        labels["org.opencontainers.image.description"] = record.description
    if base.digest:
        labels["org.opencontainers.image.base.digest"] = base.digest
    if base.reference:
        labels["org.opencontainers.image.base.name"] = base.reference
    return labels


def _lock_value(lock: PlatformLock) -> dict[str, Any]:
    return {"conda": list(lock.conda), "pip": list(lock.pip)}
