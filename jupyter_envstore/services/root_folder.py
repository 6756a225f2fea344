"""The folder of a store: made, and checked before it is used."""

from __future__ import annotations

import os

from jupyter_envstore.config import MAX_PREFIX, StoreConfig
from jupyter_envstore.engine.channels import redact
from jupyter_envstore.errors import InvalidInputError, StorageError


def check_root(config: StoreConfig) -> None:
    """Make the store's folder, or say why it cannot be used.

    Raises
    ------
    InvalidInputError
        Its path is too long for the prefixes below it.
    StorageError
        It cannot be written.
    """
    if redact(config.channel_alias) != config.channel_alias:
        msg = "channel_alias holds a password or token; store it in auth.json or .condarc of the account that builds"
        raise InvalidInputError(msg)
    longest = len(str(config.builds)) + len("/01234567-1234567")
    if longest > MAX_PREFIX:
        msg = (
            f"root_dir {config.root} is too long: prefixes below it would have {longest} characters, "
            f"{MAX_PREFIX} at most"
        )
        raise InvalidInputError(msg)
    if any(letter.isspace() for letter in str(config.root)):
        msg = f"root_dir {str(config.root)!r} has a space in it, which first lines of scripts cannot hold"
        raise InvalidInputError(msg)
    try:
        for folder in (config.root, config.builds, config.packages, config.staging):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"the store cannot be made at {config.root}: {error.strerror}; choose another root_dir"
        raise StorageError(msg) from None
    if not os.access(config.root, os.W_OK):
        msg = f"the store at {config.root} cannot be written; check who owns it"
        raise StorageError(msg)
