"""The demo: a channel made on the spot, an environment built from it, what came out, and JupyterLab to use it in."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from jupyter_envstore.application.configuration import load_config
from jupyter_envstore.channel_maker.channel import make_channel
from jupyter_envstore.cli.build import _report_build, follow, outcome
from jupyter_envstore.cli.common import print_json, who
from jupyter_envstore.cli.jupyter_servers import become_server
from jupyter_envstore.errors import ImageError
from jupyter_envstore.images.host_base import write_host_base
from jupyter_envstore.policy import SETTINGS
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.spec import read_specification

ENVIRONMENT = """\
# The example environment of jupyter-envstore.
name: example
description: Python with numpy and pandas, and a package from PyPI
channels:
  - {channel}
dependencies:
  - python={python}
  - ipykernel
  - numpy
  - pandas
  - pip
  - pip:
      - cowsay
variables:
  EXAMPLE_GREETING: hello from the environment
"""


def demo(options: argparse.Namespace) -> int:
    """Run the demo in a store of its own, or in the one that ``--root`` names."""
    config = load_config(options.root or str(Path(tempfile.gettempdir()) / f"envstore-demo-{who()}"))
    root = Path(config.root_dir)
    started = time.monotonic()

    def report(text: str) -> None:
        print(f"  {text}", file=sys.stderr)

    print(f"1. A conda channel of this Python and some wheels: {root / 'channel'}", file=sys.stderr)
    channel = make_channel(root / "channel", report=report)
    python = ".".join(channel.pythons[0].split(".")[:2])
    text = ENVIRONMENT.format(channel=channel.path.as_uri(), python=python)
    file = root / "environment.yml"
    file.write_text(text, encoding="utf-8")
    base = demo_base(root)
    store = EnvStore.open(dataclasses.replace(config, hand_on=True, docker_base_image=base or config.docker_base_image))
    at_once = SETTINGS["artifacts_at_once"].default
    settings = {"conda_default_channels": [channel.path.as_uri()], "artifacts_at_once": at_once}
    store.settings.change(settings, (), who())
    print(f"2. An environment, built in the background from {file}", file=sys.stderr)
    reference = store.builds.submit(read_specification(text), "default", None, who(), "demo")
    if base:  # of this environment alone: other commands on this store do not know the base
        images = {"artifacts_at_once": [*at_once, "docker"]}
        store.settings.change(images, (reference.namespace, reference.name), who())
    view = follow(store, reference)
    if options.json:
        print_json(
            {
                **view,
                "root": str(root),
                "channel": channel.path.as_uri(),
                "seconds": time.monotonic() - started,
            }
        )
    else:
        print(f"3. Done in {time.monotonic() - started:.1f} s", file=sys.stderr)
        _report_build(view, False, {})
        at = f" --root {root}"
        print(
            f"\nTry:\n  jupyter envstore run{at} default/example -- cowsay -t moo\n"
            f"  jupyter envstore download{at} default/example --artifact lockfile\n"
            f"  jupyter envstore show{at} default/example"
        )
    code = outcome(view)
    store.close()
    if not options.json and not options.no_server:
        open_lab(root, base, options.no_browser, options.port)
    return code


def demo_base(root: Path) -> str:
    """Return a base for images of this machine's own libraries, made once; empty where none can be made of it."""
    folder = root / "base"
    if not folder.is_dir():
        try:
            write_host_base(folder)
        except ImageError as error:
            print(f"  no Docker image: {error}", file=sys.stderr)
            return ""
    return f"oci:{folder}"


def open_lab(root: Path, base: str, no_browser: bool, wanted_port: int = 0) -> None:
    """Become a server with JupyterLab on the demo's store; return where JupyterLab is not installed."""
    if find_spec("jupyterlab") is None:
        print("\nJupyterLab is not installed here. To see the panel: pip install 'jupyter-envstore[lab]'")
        return
    notebooks = root / "notebooks"
    notebooks.mkdir(exist_ok=True)
    options = [f"--EnvStoreApp.root_dir={root}", "--LabApp.log_level=WARN"]
    options += [f"--EnvStoreApp.docker_base_image={base}"] if base else []
    become_server("jupyterlab", "lab?envstore=open", notebooks, options, wanted_port, not no_browser)
