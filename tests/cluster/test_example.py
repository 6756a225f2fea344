"""The example of a cluster runs on this machine, and builds."""

from __future__ import annotations

import subprocess
import sys

import yaml

from tests.team.live import REPOSITORY

EXAMPLE = REPOSITORY / "examples" / "cluster"


def test_the_example_builds_with_three_workers_and_two_servers(channel: str) -> None:
    command = [sys.executable, str(EXAMPLE / "run_here.py"), "--check", channel]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("COMPLETED") == 3


def test_what_is_text_can_be_read() -> None:
    compose = yaml.safe_load((EXAMPLE / "compose.yaml").read_text())
    services = compose["services"]
    assert {"database", "objects", "scheduler", "worker", "envstore1", "envstore2", "proxy"} == services.keys()
    configured = (EXAMPLE / "jupyter_envstore_config.py").read_text()
    for name in compose["x-store"]["environment"]:
        assert f'"{name}"' in configured, name
    assert yaml.safe_load((EXAMPLE / "values.yaml").read_text())["workers"]["threads"] == 2
    proxy = (EXAMPLE / "nginx.conf").read_text()
    assert all(f"{name}:8890" in proxy for name in ("envstore1", "envstore2"))
