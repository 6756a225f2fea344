"""The folder of a store: made, and checked before it is used."""

from __future__ import annotations

import os

from jupyter_envstore.config import MAX_PREFIX, StoreConfig
from jupyter_envstore.engine.channels import redact
from jupyter_envstore.errors import InvalidInputError, StorageError
from jupyter_envstore.services.file_modes import close_to_others


def check_root(config: StoreConfig) -> list[str]:
    """Make the store's folder, or say why it cannot be used; it is closed to other accounts of the machine.

    Returns
    -------
    list of str
        What was open to others, in words.

    Raises
    ------
    InvalidInputError
        Its path is too long for the prefixes below it.
    StorageError
        It cannot be written, or belongs to another account.
    """
    is_new = make_root(config)
    opened = close_to_others(config)
    return [] if is_new else opened


def make_root(config: StoreConfig) -> bool:
    """Make the store's folder, or say why it cannot be used; return whether nothing was in it.

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
        is_new = not config.root.is_dir() or not any(config.root.iterdir())
        config.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (config.builds, config.packages, config.staging):
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        msg = f"the store cannot be made at {config.root}: {error.strerror}; choose another root_dir"
        raise StorageError(msg) from None
    if not os.access(config.root, os.W_OK):
        msg = f"the store at {config.root} cannot be written; check who owns it"
        raise StorageError(msg)
    return is_new
