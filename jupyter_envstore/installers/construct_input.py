"""What constructor is given: a folder with ``construct.yaml`` and all that it names (constructor's ``CONSTRUCT.md``).

Everything that people wrote stands in files of its own or is escaped: constructor may take ``construct.yaml`` for a
template, and takes ``[…]`` at the end of a line for a condition.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_envstore.engine.archives import check_file_name, fetch_archives, fetch_wheels
from jupyter_envstore.engine.channels import local_path
from jupyter_envstore.engine.digest import file_digest
from jupyter_envstore.engine.environment_variables import STATE, Variables, activation_scripts, variables_state
from jupyter_envstore.engine.kept_files import Find
from jupyter_envstore.engine.lock import sort_topologically
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.errors import ArtifactError
from jupyter_envstore.installers.description import About
from jupyter_envstore.spec.lock_entries import CondaEntry, PypiEntry
from jupyter_envstore.spec.specification import PipOptions

WHEELS = "pkgs/envstore-wheels"
"""Where wheels lie in a prefix until they are installed; constructor removes ``pkgs`` at the end."""
PIP = (
    "-m pip --isolated --disable-pip-version-check --no-cache-dir install --no-index --no-deps --require-hashes "
    "--no-warn-script-location"
)


@dataclass(frozen=True)
class Job:
    """An installer to make.

    Parameters
    ----------
    records : tuple of dict
        Conda packages: those of the lock, and the extras.
    wheels : tuple of dict
        PyPI packages, wheels all of them.
    variables : dict
        Variables of the environment.
    requested : tuple of str
        Match specs that its owner asked for.
    kind : str
        ``sh``, ``pkg`` or ``exe``.
    kept : callable or None
        Finds the file of a package in the store by its SHA-256.
    """

    about: About
    records: tuple[CondaEntry, ...]
    wheels: tuple[PypiEntry, ...]
    variables: Mapping[str, str]
    requested: tuple[str, ...]
    kind: str
    pip_options: PipOptions
    kept: Find | None = None

    @property
    def file_name(self) -> str:
        """Name of the file that constructor writes."""
        return f"{installer_name(self.about.name)}.{self.kind}"


def write_folder(job: Job, folder: Path, progress: Progress) -> None:
    """Write all that constructor needs, packages included, so that it downloads nothing.

    Each channel becomes a folder with an index of just these packages; ``channels_remap`` gives its own address back.

    Raises
    ------
    ArtifactError, PackageError
        Packages clash; or one cannot be had.
    """
    check_names(job)
    folder.mkdir(parents=True)
    places = local_channels(job, folder / "channels")
    records = list(job.records)
    fetch_archives(records, [places[record["url"]] for record in records], progress, job.kept)
    md5s = {url: file_digest(place, "md5") for url, place in places.items()}
    _write_indexes(job, places, md5s)
    lines = [f"{places[r['url']].as_uri()}#{md5s[r['url']]}" for r in sort_topologically(records)]
    (folder / "lock.txt").write_text("\n".join([f"# platform: {job.about.platform}", "@EXPLICIT", *lines]) + "\n")
    if job.wheels:
        fetch_wheels(job.wheels, job.pip_options, folder / "wheels", job.kept)
        pins = [f"{wheel['name']}=={wheel['version']} --hash=sha256:{wheel['sha256']}" for wheel in job.wheels]
        (folder / "wheels" / "requirements.txt").write_text("\n".join(pins) + "\n")
        _write_post_install(job, folder)
    _write_variables(job, folder)
    if job.about.licence:
        (folder / "license.txt").write_text(_quoted(job.about.licence), encoding="utf-8")
    (folder / "construct.yaml").write_text(construct_yaml(job, folder), encoding="utf-8")


def construct_yaml(job: Job, folder: Path) -> str:
    """Return ``construct.yaml``."""
    about = job.about
    remaps = [
        {"src": (folder / "channels" / str(place)).as_uri(), "dest": public_channel(channel)}
        for place, channel in enumerate(channels_of(job))
    ]
    extra = [{f"wheels/{name}": f"{WHEELS}/{name}"} for name in _names(folder / "wheels")]
    extra += [{f"variables/{place}": place} for place in _variable_files(job)]
    values: dict[str, Any] = {
        "name": installer_name(about.name),
        "version": about.version,
        "company": about.company,
        "welcome_text": about.welcome,
        "installer_type": job.kind,
        "installer_filename": job.file_name,
        "environment_file": "lock.txt",
        "channels_remap": remaps,
        "user_requested_specs": list(job.requested),
        "extra_files": extra,
        "post_install": _post_install_name(job) if job.wheels else "",
        "license_file": "license.txt" if about.licence else "",
        "initialize_conda": False,
        "register_envs": False,
        "build_outputs": ["lockfile"],
    }
    if job.kind == "pkg":
        values |= {"reverse_domain_identifier": "dev.jupyter-envstore", "pkg_name": installer_name(about.name)}
    if any(record["name"] == "conda" for record in job.records):
        values |= {"write_condarc": True, "channels": _remote(job)}
    return "".join(_lines(key, value) for key, value in values.items() if value not in ("", []))


def check_names(job: Job) -> None:
    """Refuse what constructor cannot tell apart.

    Raises
    ------
    ArtifactError
        Two packages have one name, or two files; or PyPI packages are there and no pip that could install them.
    """
    for record in job.records:
        check_file_name(str(record["fn"]))
    for what, found in (
        ("packages are called", [str(record["name"]) for record in job.records]),
        ("files are called", [str(record["fn"]) for record in job.records]),
    ):
        twice = sorted({name for name in found if found.count(name) > 1})
        if twice:
            msg = f"two {what} {twice[0]}; an installer has one of each"
            raise ArtifactError(msg)
    if job.wheels and not any(record["name"] == "pip" for record in job.records):
        msg = (
            "the environment has PyPI packages and no pip that could install them on the other side: add pip to its "
            "dependencies, or allow the setting installer_extras and build again"
        )
        raise ArtifactError(msg)


def installer_name(name: str) -> str:
    """Return a name as constructor takes it: letters, digits, ``._-`` between them."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name).rstrip("._-")


def channels_of(job: Job) -> list[str]:
    """Return the addresses of the channels that packages come from, each once."""
    return list(dict.fromkeys(str(record["url"]).rsplit("/", 2)[0] for record in job.records))


def public_channel(channel: str) -> str:
    """Return a channel's address as the installed environment shall know it: no place of this machine."""
    path = local_path(f"{channel}/")
    return channel if path is None else f"file:///{path.name}"


def local_channels(job: Job, folder: Path) -> dict[str, Path]:
    """Return where each package's file lies, by its address: ``<number of its channel>/<subdir>/<file>``."""
    numbers = {channel: str(place) for place, channel in enumerate(channels_of(job))}
    places = {}
    for record in job.records:
        channel, subdir, _ = str(record["url"]).rsplit("/", 2)
        places[str(record["url"])] = folder / numbers[channel] / subdir / str(record["fn"])
    return places


def _write_indexes(job: Job, places: Mapping[str, Path], md5s: Mapping[str, str]) -> None:
    """Write ``repodata.json`` for each channel and each of the two folders of a platform."""
    left_out = ("fn", "url", "channel", "paths", "files")
    for folder in {place.parent.parent for place in places.values()}:
        for subdir in (job.about.platform, "noarch"):
            index: dict[str, Any] = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": {}, "removed": []}
            for record in job.records:
                place = places[record["url"]]
                if place.parent == folder / subdir:
                    kind = "packages.conda" if place.name.endswith(".conda") else "packages"
                    entry = {key: value for key, value in record.items() if key not in left_out and value is not None}
                    index[kind][place.name] = entry | {"md5": md5s[record["url"]]}
            (folder / subdir).mkdir(parents=True, exist_ok=True)
            (folder / subdir / "repodata.json").write_text(json.dumps(index), encoding="utf-8")


def _post_install_name(job: Job) -> str:
    return "post_install.bat" if job.kind == "exe" else "post_install.sh"


def _write_post_install(job: Job, folder: Path) -> None:
    """Write what installs the wheels: without a network, and by their hashes."""
    if job.kind == "exe":
        place = r"%PREFIX%\pkgs\envstore-wheels"
        text = (
            f'"%PREFIX%\\python.exe" {PIP} --find-links "{place}" -r "{place}\\requirements.txt"\r\n'
            "if errorlevel 1 exit 1\r\n"
        )
    else:
        place = f"$PREFIX/{WHEELS}"
        text = f'"$PREFIX/bin/python" {PIP} --find-links "{place}" -r "{place}/requirements.txt" || exit 1\n'
    (folder / _post_install_name(job)).write_bytes(text.encode())


def _variable_files(job: Job) -> dict[str, str]:
    """Return the files that set variables, by their place in the prefix."""
    if not job.variables:
        return {}
    scripts = {} if job.kind == "exe" else activation_scripts(Variables(job.variables))
    return {STATE: variables_state(job.variables), **scripts}


def _write_variables(job: Job, folder: Path) -> None:
    for place, text in _variable_files(job).items():
        path = folder / "variables" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _remote(job: Job) -> list[str]:
    """Return the channels that can be asked from elsewhere."""
    return [channel for channel in channels_of(job) if not channel.startswith("file:")]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _quoted(text: str) -> str:
    """Return a text as it may stand in the here-document that constructor puts it into."""
    ends = ("EOF", "@@END_HEADER@@")
    return "".join(f" {line}\n" if line.strip().startswith(ends) else f"{line}\n" for line in text.splitlines())


def _lines(key: str, value: Any) -> str:
    """Return a key of ``construct.yaml``: lists over lines of their own, texts in quotes."""
    if isinstance(value, list):
        return f"{key}:\n" + "".join(f"  - {_item(item)}\n" for item in value)
    return f"{key}: {_scalar(value)}\n"


def _item(item: Any) -> str:
    if isinstance(item, Mapping):
        return "\n    ".join(f"{_scalar(key)}: {_scalar(value)}" for key, value in item.items())
    return _scalar(item)


def _scalar(value: Any) -> str:
    """Return a value in YAML, without a character that constructor's templates or conditions could take for theirs."""
    text = json.dumps(value)
    return re.sub(r"[{}\[\]]", lambda found: f"\\u{ord(found[0]):04x}", text)


def package_hashes(records: Sequence[CondaEntry]) -> dict[str, str]:
    """Return file name to SHA-256 (MD5 where the lock has no other)."""
    return {str(r["fn"]): str(r.get("sha256") or r.get("md5")) for r in records}
