"""Run a store alone, for a team."""

from __future__ import annotations

import argparse
import logging
import os
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_envstore.errors import InvalidInputError

if TYPE_CHECKING:
    from traitlets.config import Configurable

    from jupyter_envstore.application.service import EnvStoreService


ENDING = "_config.py"
"""How the names of Jupyter's own configuration files end."""


def _read(service: EnvStoreService, words: Sequence[str], file: str | None) -> None:
    """Read the configuration. A service does not start with less than what was written for it.

    Raises
    ------
    InvalidInputError
        A file of it cannot be read, or is no configuration.
    """
    service.raise_config_file_errors = True
    if file:
        try:
            with Path(file).open("rb"):
                pass
        except OSError as error:
            msg = f"the configuration {file} (--config) cannot be read: {error.strerror}"
            raise InvalidInputError(msg) from None
    from traitlets import TraitError

    from jupyter_envstore.application.configuration import fault_of

    try:
        service.initialize(list(words))
    except InvalidInputError:
        raise
    except TraitError as error:
        msg = f"the configuration cannot be used: {fault_of(error, type(service))}"
        raise InvalidInputError(msg) from None
    except Exception as error:
        place = _place_of(error, file) or "a file of the configuration"
        msg = f"{place} cannot be used: {type(error).__name__}: {error}"
        raise InvalidInputError(msg) from error


def _place_of(error: BaseException, file: str | None) -> str:
    """Return the place in a configuration file at which an error came; empty where it is not known."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno},"
    named = os.path.abspath(file) if file else ""  # noqa: PTH100 - as traitlets writes it
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if f.filename == named or f.filename.endswith(ENDING)
    ]
    return f"{frames[-1].filename}, line {frames[-1].lineno}," if frames else ""


def _helps(service: type[Configurable]) -> Iterator[str]:
    """Yield what each option of the configuration means, by the name that stands in the file."""
    package = __name__.partition(".")[0]
    for _, trait in sorted(service.class_traits(config=True).items()):
        if trait.this_class is not None and trait.this_class.__module__.partition(".")[0] == package:
            text = service.class_get_trait_help(trait).partition("\n")[2]  # behind the option of a command line
            yield f"c.EnvStoreApp.{trait.name} = <{type(trait).__name__}>\n{text}"


def serve(options: argparse.Namespace) -> None:
    """Serve the store until a signal ends it."""
    from jupyter_envstore.application.service import EnvStoreService

    if options.help_all:
        print("\n".join(_helps(EnvStoreService)))
        return
    given = {"root_dir": options.root, "ip": options.ip, "port": options.port, "base_url": options.base_url}
    words = [f"--EnvStoreService.{name}={value}" for name, value in given.items() if value is not None]
    words += [f"--config={options.config}"] if options.config else []
    service = EnvStoreService.instance(log_level=logging.INFO)
    _read(service, words, options.config)
    service.prepare()
    service.start()
