"""Commands about Docker images: make a base, copy an image to a registry."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from jupyter_envstore.application.configuration import own_file
from jupyter_envstore.cli.common import find, tell, wait, who
from jupyter_envstore.cli.display import LiveDisplay
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.cli.records import part_reporter, push_record
from jupyter_envstore.errors import ArtifactError
from jupyter_envstore.images.host_base import write_host_base
from jupyter_envstore.images.reference import RECORD_SCHEME, parse_image
from jupyter_envstore.spec.wording import human_size


def base_image(options: argparse.Namespace) -> None:
    """Make a base image of this machine's own libraries."""
    folder = Path(options.directory).expanduser().resolve()
    made = write_host_base(folder)
    size = sum(layer.size for layer in made.layers)
    use = f"Use it: write this in {own_file()}:\nc.EnvStoreApp.docker_base_image = 'oci:{folder}'"
    text = f"oci:{folder}\n{human_size(size)}, {made.digest}\n{use}"
    tell(options, {"base": f"oci:{folder}", "digest": made.digest, "size": size}, text)


def push(options: argparse.Namespace) -> None:
    """Copy the image of a build to a registry, or its build record."""
    if options.target.startswith(RECORD_SCHEME):
        push_record(options)
        return
    target = parse_image(options.target)
    with open_store(options) as store:
        reference = find(store, options.environment)
        store.artifacts.request(reference.id, "docker", "", who())
        wait(store, reference.id, LiveDisplay())
        artifact = store.artifacts.find(reference.id, "docker")
        if artifact["state"] != "ready":
            msg = f"the image of {reference} cannot be made: {artifact['reason']}"
            raise ArtifactError(msg)
        if not target.tag and not target.digest:
            target = replace(target, tag=store.builds.show(reference.id)["key"])
        sent = store.images.push(artifact["sha256"] or "", target, part_reporter(options))
        store.artifacts.note_download(who(), reference.id, "docker")
    data = {"image": str(target), "digest": f"sha256:{artifact['sha256']}", "sent": sent}
    tell(options, data, f"{target}\nsha256:{artifact['sha256']}, {human_size(sent)} sent")
