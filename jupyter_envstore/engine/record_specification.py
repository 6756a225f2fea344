"""The specification that a build record was made of, as far as the record tells."""

from __future__ import annotations

from jupyter_envstore.engine.lock import lock_text, lockfile_of
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.spec import Specification, read_specification
from jupyter_envstore.spec.converting.draft import Draft


def specification_of_record(record: BuildRecord, allow_local_files: bool) -> Specification:
    """Return what was asked for when a record was made; the lock itself where that was a lockfile.

    Raises
    ------
    SpecificationError
        What the record has as requests cannot be read.
    """
    if not record.requested_conda and not record.requested_pip:
        return locked_specification(record)
    draft = Draft(
        name=record.name,
        description=record.description,
        channels=list(record.channels),
        platforms=list(record.platforms) if len(record.platforms) > 1 else [],
        conda=list(record.requested_conda),
        pip=list(record.requested_pip),
        options=record.pip_options.lines,
        variables=dict(record.variables),
        priority=record.channel_priority,
    )
    return read_specification(draft.to_yaml(), "what the build record asks for", allow_local_files, named=True)


def locked_specification(record: BuildRecord) -> Specification:
    """Return a record as a lockfile that can be built like any other."""
    return Specification(
        name=record.name,
        description=record.description,
        variables=dict(record.variables),
        platforms=tuple(sorted(record.platforms)),
        lockfile=lockfile_of(record),
        text=lock_text(record),
    )
