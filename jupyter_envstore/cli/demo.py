"""The demo: a channel made on the spot, an environment built from it, and what came out."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from jupyter_envstore.cli.commands import _outcome, _report_build, follow
from jupyter_envstore.cli.common import print_json, who
from jupyter_envstore.configuration import load_config
from jupyter_envstore.demo.channel import make_channel
from jupyter_envstore.envstore import EnvStore
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
    store = EnvStore(config)
    print(f"2. An environment, built in the background from {file}", file=sys.stderr)
    reference = store.submit(read_specification(text), "default", None, who(), "demo")
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
        _report_build(view, False)
        at = f" --root {root}"
        print(
            f"\nTry:\n  jupyter envstore run{at} default/example -- cowsay -t moo\n"
            f"  jupyter envstore download{at} default/example --artifact lockfile\n"
            f"  jupyter envstore show{at} default/example"
        )
    return _outcome(view)
