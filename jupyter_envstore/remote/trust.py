"""Which certificates a store elsewhere is known by."""

from __future__ import annotations

import ssl

from jupyter_envstore.errors import InvalidInputError


def trusted(ca_file: str) -> ssl.SSLContext:
    """Return what checks certificates: those of the system count, and those of a file.

    Parameters
    ----------
    ca_file : str
        Certificates (PEM); empty for none.

    Raises
    ------
    InvalidInputError
        The file cannot be read.
    """
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            msg = f"the certificates in {ca_file} (c.EnvStoreApp.remote_ca_file) cannot be read: {error.strerror}"
            raise InvalidInputError(msg) from None
    return context
