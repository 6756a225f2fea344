"""The steps of a build that make its prefix: packages finished, scripts run, variables noted, byte code compiled."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_envstore.builds.activation import ACTIVATION_FILE, activation_variables
from jupyter_envstore.builds.build_job import Job
from jupyter_envstore.builds.link_scripts import bring_back, check_link_scripts, run_scripts
from jupyter_envstore.builds.link_warnings import tell_collisions
from jupyter_envstore.builds.prefix_disk import note_disk
from jupyter_envstore.builds.prefix_notices import tell_of_packages
from jupyter_envstore.engine.bytecode import bytecode_folder, link_bytecode
from jupyter_envstore.engine.environment_variables import VariableFault, replaced_variables
from jupyter_envstore.engine.finish import finish_prefix
from jupyter_envstore.engine.prefix import remove_tree, seal_prefix, to_trash, tree_size, unseal_prefix
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.errors import EnvStoreError


@dataclass(frozen=True)
class PrefixSize:
    """Bytes of all files of a prefix, and of those that it shares with nothing."""

    total: int
    own: int


class PrefixSteps:
    """Makes the prefix of a build from its record and a staging folder with its conda packages."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.workspace = job.workspace
        self.prefix = job.prefix
        self.sandbox = job.workspace.sandbox
        self.bytecode = bytecode_folder(job.config.packages, self.sandbox, job.environment.namespace_id)

    def make(self, record: BuildRecord, staging: Path) -> PrefixSize:
        """Make the prefix of a new build.

        Returns
        -------
        PrefixSize
            As far as it is known before byte code is compiled.
        """
        allowed = self.job.settings["link_scripts"]
        with self.workspace.step("link", "Link packages"):
            replaced = self._finish(record, staging)
            scripts = check_link_scripts(self.workspace, staging, record.lock(self.job.platform), allowed)
            if scripts:  # what they write is looked for next
                self._link_bytecode(staging, record, only_cached=True)
            self._into_place(staging)
        with self._removed_if_it_fails():
            if scripts:
                with self.workspace.step("scripts", "Run scripts of packages"):
                    run_scripts(self.workspace, self.prefix, scripts, self.job.settings["allow_outside_links"])
            self._activate(replaced)
        if self.job.is_hard_linked and not (scripts or record.lock(self.job.platform).pip):
            return PrefixSize(self.job.linked.size, self.job.linked.own_size)  # walked through when it is compiled
        return self._size()

    def make_again(self, record: BuildRecord, staging: Path) -> PrefixSize:
        """Make the prefix of an old build again, with what its scripts had written."""
        with self.workspace.step("link", "Link packages"):
            replaced = self._finish(record, staging)
            self._link_bytecode(staging, record, only_cached=True)  # a kernel waits for what is brought back
            self._into_place(staging)
        with self._removed_if_it_fails():
            bring_back(self.workspace, self.prefix)
            self._activate(replaced)
        return self._size()

    def close(self, record: BuildRecord) -> PrefixSize:
        """Link all byte code, compiling what is missing, and close the folders; may be done again."""
        unseal_prefix(self.prefix)
        try:
            with self.workspace.step("compile", "Compile"):
                self._link_bytecode(self.prefix, record)
        finally:
            seal_prefix(self.prefix)
        return self._size()

    def _finish(self, record: BuildRecord, staging: Path) -> list[VariableFault]:
        """Add PyPI packages and variables."""
        replaced = replaced_variables(staging, record.variables)
        written_over = finish_prefix(
            record,
            self.job.platform,
            staging,
            self.prefix,
            self.job.config.packages / "uv",
            self.sandbox,
            self.workspace.blobs.local_file,
            self.workspace,
            self.job.linked,
        )
        tell_collisions(self.workspace, written_over)
        return replaced

    def _link_bytecode(self, prefix: Path, record: BuildRecord, only_cached: bool = False) -> None:
        link_bytecode(
            prefix,
            record.lock(self.job.platform),
            self.bytecode,
            self.sandbox,
            self.workspace,
            only_cached=only_cached,
        )

    def _into_place(self, staging: Path) -> None:
        """Have the packages be the prefix, while nobody can take the job away: another attempt's stays what it is."""
        self.prefix.parent.mkdir(parents=True, exist_ok=True)
        with self.workspace.claim.write(self.workspace.database, alone=False):
            left = to_trash(self.prefix)  # by an attempt that was lost; no row says that it can be used
            try:
                staging.rename(self.prefix)
            except BaseException:
                if left is not None:
                    left.rename(self.prefix)
                raise
        if left is not None:
            remove_tree(left)
        note_disk(self.job.config)

    @contextlib.contextmanager
    def _removed_if_it_fails(self) -> Iterator[None]:
        """Remove the prefix if a step fails: no row says yet that it is there. Of a lost job it may be another's."""
        try:
            yield
        except BaseException:
            with contextlib.suppress(EnvStoreError):
                with self.workspace.claim.write(self.workspace.database, alone=False):
                    left = to_trash(self.prefix)
                if left is not None:
                    remove_tree(left)
            raise

    def _activate(self, replaced: Sequence[VariableFault]) -> None:
        """Note which variables activation sets, for kernels."""
        with self.workspace.step("activate", "Activate"):
            folder = self.workspace.temporary("activation")
            folder.mkdir(exist_ok=True)
            variables, complaints = activation_variables(self.prefix, folder, self.sandbox, self.workspace.time_left())
            for complaint in complaints:
                self.workspace.log(f"activation says: {complaint}")
            text = json.dumps(variables, indent=1, sort_keys=True)
            (self.prefix / ACTIVATION_FILE).write_text(text, encoding="utf-8")
            tell_of_packages(self.workspace, self.prefix, variables, replaced)

    def _size(self) -> PrefixSize:
        return PrefixSize(*tree_size(self.prefix))
