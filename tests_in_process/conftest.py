"""The end of a session is the same as that of all other tests."""

from tests.conftest import pytest_sessionfinish, pytest_terminal_summary, pytest_unconfigure

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary", "pytest_unconfigure"]
