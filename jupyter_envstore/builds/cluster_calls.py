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


def packed(function: Callable[..., Any], *arguments: object) -> io.BytesIO:
    """Return a call as a file: :func:`pickle.load` makes the call, and returns what the function returns.

    A machine that cannot import the function would otherwise write all of it into its log, with the passwords that are
    in the configuration, and its worker of Dask would end. This way the call fails like any other; and when a task
    fails, Dask logs how its arguments are written, which tells nothing of a file.
    """
    return io.BytesIO(pickle.dumps(_Call(function, arguments)))
