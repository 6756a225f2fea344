"""Calls of this package's functions that Dask carries to a worker."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any


class _Call:
    """Becomes what a function returns, where it is unpickled."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[object, ...]) -> None:
        self._function = function
        self._arguments = arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return self._function, self._arguments


def submit(client: Any, function: Callable[..., Any], *arguments: object, **options: Any) -> Any:
    """Have a worker of Dask call a function, which is called once; return the future of what it returns.

    The call is packed into a file, and :func:`pickle.load` makes it. A machine that cannot import the function would
    otherwise write all of it into its log, with the passwords that are in the configuration, and its worker of Dask
    would end. This way the call fails like any other; and when a task fails, Dask logs how its arguments are written,
    which tells nothing of a file.

    Parameters
    ----------
    client : Client
        Dask's.
    options
        As ``Client.submit`` takes them: ``key``, ``priority``, ``resources``, ``workers``.
    """
    call = io.BytesIO(pickle.dumps(_Call(function, arguments)))
    return client.submit(pickle.load, call, pure=False, retries=0, **options)
