"""Links that lead to themselves: neither a build, its artifacts nor housekeeping stumbles over them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_envstore.channel_maker.channel import index_channel
from jupyter_envstore.kernels.kernel_specs import KernelSpecs
from jupyter_envstore.kernels.stored_builds import StoredBuilds
from tests.helpers import Store, opened_stores
from tests.nasty import add

LOOPS = {
    "lib/self": "self",
    "lib/x": "y",
    "lib/y": "x",
    "share/jupyter/kernels/k/logo-64x64.png": "logo-64x64.png",
    "share/jupyter/kernels/k/loop": "../k/loop",
    "share/jupyter/kernels/lost/kernel.json": "kernel.json",
    "etc/conda/env_vars.d/loop.json": "loop.json",
    "etc/conda/activate.d/loop.sh": "loop.sh",
    "etc/jupyter/loop": "loop",
    "bin/loop": "loop",
    "lib/libloop.so": "libloop.so",
}
KERNEL = json.dumps({"argv": ["tool", "{connection_file}"], "display_name": "Tool"})


ARTIFACTS = ("yaml", "lockfile", "archive", "docker", "installer")


@pytest.fixture
def store(package_cache: Path, base: Path) -> Iterator[Store]:
    """A store that makes every artifact, and tries builds out."""
    settings = {"artifacts_at_once": list(ARTIFACTS), "check_imports": True}
    with opened_stores(package_cache) as make:
        yield make(settings=settings, docker_base_image=f"oci:{base}")


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("loops")

    def fill(root: Path) -> None:
        for path, target in LOOPS.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).symlink_to(target)
        (root / "share/jupyter/kernels/k/kernel.json").write_text(KERNEL)
        (root / "bin/tool").write_text("#!/bin/sh\n")
        (root / "bin/tool").chmod(0o755)

    add(folder, "loops", fill)
    index_channel(folder)
    return folder.as_uri()


def test_an_environment_with_links_that_loop_is_built_and_all_is_made_of_it(store: Store, channel: str) -> None:
    view = store.build(f"name: e\nchannels: ['{channel}']\ndependencies: [loops]")
    assert view["status"] == "COMPLETED", view["reason"]
    log = store.envstore.logs.read(view["id"])
    assert {artifact["type"]: artifact["state"] for artifact in view["artifacts"]} == dict.fromkeys(
        ARTIFACTS, "ready"
    ), log
    assert "Traceback" not in log
    told = " ".join(warning["message"] for warning in view["warnings"])
    assert "loop.json" in told
    assert "kernel lost of loops is left out" in told
    assert view["size"] > 0
    digest = next(artifact["sha256"] for artifact in view["artifacts"] if artifact["type"] == "archive")
    archive = store.envstore.artifacts.path(digest)
    with tarfile.open(archive) as tar:
        links = {member.name.removeprefix("./"): member.linkname for member in tar if member.issym()}
    assert {path: links.get(path) for path in LOOPS} == LOOPS
    kernels = KernelSpecs(store.envstore.config, StoredBuilds(store.envstore.config, store.envstore.database))
    kernels.sync()
    assert kernels.state(1).ids == ("envstore-team--e--k",)
    store.envstore.retention.collect(dry_run=True)
    store.envstore.environments.delete("team", "e", at_once=True)
    store.envstore.retention.collect()
    assert not Path(view["prefix"]).exists()
