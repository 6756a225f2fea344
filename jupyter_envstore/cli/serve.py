"""Run a store alone, for a team."""

from __future__ import annotations

import argparse
import logging


def serve(options: argparse.Namespace) -> None:
    """Serve the store until a signal ends it."""
    from jupyter_envstore.application.service import EnvStoreService

    given = {"root_dir": options.root, "ip": options.ip, "port": options.port, "base_url": options.base_url}
    words = [f"--EnvStoreService.{name}={value}" for name, value in given.items() if value is not None]
    words += [f"--config={options.config}"] if options.config else []
    service = EnvStoreService.instance(log_level=logging.INFO)
    service.initialize(words)
    service.prepare()
    service.start()
