"""Specifications: what someone typed, validated; names and build keys."""

from jupyter_envstore.spec.names import (
    build_directory,
    build_key,
    check_name,
    parse_reference,
    spell,
    split_place,
    suggest_name,
)
from jupyter_envstore.spec.reader import read_specification
from jupyter_envstore.spec.specification import PipOptions, Specification

__all__ = [
    "PipOptions",
    "Specification",
    "build_directory",
    "build_key",
    "check_name",
    "parse_reference",
    "read_specification",
    "spell",
    "split_place",
    "suggest_name",
]
