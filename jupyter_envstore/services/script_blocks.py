"""What environments were asked for, for tools that know PyPI alone."""

from __future__ import annotations

from dataclasses import replace

from jupyter_envstore.engine.channels import redact
from jupyter_envstore.engine.distributions import distributions_of
from jupyter_envstore.errors import ConflictError
from jupyter_envstore.notebooks.bond import may_travel
from jupyter_envstore.notebooks.pypi_requests import PYTHON, Requested, requested_from_pypi
from jupyter_envstore.services.prefixes import Prefixes
from jupyter_envstore.services.records import BuildRecords
from jupyter_envstore.spec.selectors import current_subdir
from jupyter_envstore.spec.wording import counted


class ScriptBlocks:
    """The script blocks (PEP 723) of builds."""

    def __init__(self, prefixes: Prefixes, records: BuildRecords) -> None:
        self._prefixes = prefixes
        self._records = records

    def requested(self, build_id: int) -> Requested:
        """Return what a build was asked for; its files tell the names that its packages have on PyPI.

        Raises
        ------
        ConflictError
            It has no record yet; its files are packed away; or it was built from a lockfile, which does not tell what
            was asked for.
        NotFoundError
            There is no such build.
        """
        record = self._records.read(build_id)
        if not record.requested_conda and not record.requested_pip:
            msg = f"build {build_id} was built from a lockfile, which does not tell what was asked for"
            raise ConflictError(msg)
        conda = [spec for spec in record.requested_conda if may_travel(spec)]
        pip = [line for line in record.requested_pip if may_travel(line)]
        distributions = distributions_of(self._prefixes.path(build_id))
        locked = record.lock(current_subdir()).conda
        python = next((entry["version"] for entry in locked if entry["name"] == PYTHON), "")
        found = requested_from_pypi(conda, pip, distributions, python)
        if left := len(record.requested_conda) + len(record.requested_pip) - len(conda) - len(pip):
            why = f"{counted(left, 'package')} with addresses of this machine or network"
            found = replace(found, left_out=(*found.left_out, why))
        options = record.pip_options
        places = [(url, "--index") for url in (options.index_url, *options.extra_index_urls) if url]
        places += [(url, "--find-links") for url in options.find_links]
        told = [f"{redact(url)}, where packages come from; uv takes it with {option}" for url, option in places]
        return replace(found, left_out=(*found.left_out, *told))
