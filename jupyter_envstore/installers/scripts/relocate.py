"""Run by the environment's own Python while it is installed: sets its paths, and tests what was installed.

Works from Python 2.7 on, without ``site``. Part of the installer, not of the server.
"""

import base64
import binascii
import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys

OWN = os.path.dirname(os.path.abspath(__file__))


def replace_binary(data, old, new, room):
    """Return ``data`` with each C string that holds ``old`` changed, its length kept by the zeros behind it.

    ``room`` is how long a prefix may be: as much as its package left.

    Raises
    ------
    ValueError
        The new path does not fit.
    """
    if len(new) > room:
        raise ValueError("the path has %d bytes, %d fit" % (len(new), room))
    pieces, end = [], 0
    for match in re.finditer(re.escape(old) + b"[^\0]*\0", data):
        changed = match.group().replace(old, new)
        grown = len(changed) - len(match.group())
        pieces += [data[end : match.start()], changed]
        end = match.end()
        if grown > 0:
            if data[end : end + grown].strip(b"\0") or len(data) < end + grown:
                raise ValueError("there is no room behind a path")
            end += grown
        else:
            pieces.append(b"\0" * -grown)
    return b"".join(pieces) + data[end:]


def relocations(prefix):
    """Yield mode, room, hash and path of the files that hold their prefix."""
    with io.open(os.path.join(OWN, "relocations"), encoding="utf-8") as file:
        for line in file:
            mode, room, digest, path = line.rstrip("\n").split(" ", 3)
            yield mode, int(room), digest, path


def write(path, data):
    """Write a file anew, its mode kept: what it was linked with stays as it is."""
    mode = os.stat(path).st_mode & 0o777
    with open(path + ".envstore-new", "wb") as file:
        file.write(data)
    os.chmod(path + ".envstore-new", mode)
    os.rename(path + ".envstore-new", path)


def relocate(prefix, old, new):
    """Set the paths, and the hashes of what was changed where conda and pip keep them."""
    hashes, recorded, signed = {}, {}, []
    for mode, room, digest, path in relocations(prefix):
        full = os.path.join(prefix, path)
        with open(full, "rb") as file:
            data = file.read()
        try:
            changed = replace_binary(data, old, new, room) if mode == "b" else data.replace(old, new)
        except ValueError as error:
            sys.exit("%s: %s" % (path, error))
        write(full, changed)
        found = hashlib.sha256(changed)
        if digest != "-":
            hashes[digest] = found.hexdigest()
        recorded[path] = found.digest(), len(changed)
        if mode == "b" and sys.platform == "darwin":
            signed.append(full)
    for full in signed:  # Apple's processors run no program whose signature does not fit
        subprocess.check_call(["/usr/bin/codesign", "--sign", "-", "--force", full])
    if signed:
        for mode, _, digest, path in relocations(prefix):
            if mode == "b" and digest != "-":
                hashes[digest] = file_hash(os.path.join(prefix, path))
    update_conda(prefix, hashes)
    update_pip(prefix, recorded)


def update_conda(prefix, hashes):
    """Write the new hashes into ``conda-meta``."""
    folder = os.path.join(prefix, "conda-meta")
    for name in os.listdir(folder):
        if not name.endswith(".json"):
            continue
        path = os.path.join(folder, name)
        with io.open(path, encoding="utf-8") as file:
            text = file.read()
        changed = re.sub('"sha256(?:_in_prefix)?": ?"([0-9a-f]{64})"', lambda m: replaced(m, hashes), text)
        if changed != text:
            write(path, changed.encode("utf-8"))


def replaced(match, hashes):
    """Return an entry of ``conda-meta`` with the hash of today."""
    return match.group().replace(match.group(1), hashes.get(match.group(1), match.group(1)))


def record_files(prefix):
    """Return the ``RECORD`` files of Python packages, with the folder that their paths count from."""
    found = []
    lib = os.path.join(prefix, "lib")
    for python in sorted(os.listdir(lib)) if os.path.isdir(lib) else []:
        site = os.path.join(lib, python, "site-packages")
        if re.match(r"python\d", python) and os.path.isdir(site) and not os.path.islink(os.path.join(lib, python)):
            found += [(site, os.path.join(site, n, "RECORD")) for n in os.listdir(site) if n.endswith(".dist-info")]
    return [(site, path) for site, path in found if os.path.isfile(path)]


def read_rows(path):
    """Return the rows of a ``RECORD``."""
    if sys.version_info[0] == 2:
        with open(path, "rb") as file:
            return list(csv.reader(file))
    with io.open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def update_pip(prefix, recorded):
    """Write hashes and sizes of changed files into the ``RECORD`` of their Python package."""
    scripts = {os.path.join(prefix, path): value for path, value in recorded.items()}
    for site, path in record_files(prefix):
        rows = read_rows(path)
        changed = False
        for row in rows:
            value = scripts.get(os.path.normpath(os.path.join(site, row[0])))
            if value and len(row) == 3 and row[1]:
                digest = base64.urlsafe_b64encode(value[0]).rstrip(b"=").decode("ascii")
                row[1:] = ["sha256=" + digest, str(value[1])]
                changed = True
        if changed:
            output = io.BytesIO() if sys.version_info[0] == 2 else io.StringIO()
            csv.writer(output, lineterminator="\n").writerows(rows)
            text = output.getvalue()
            write(path, text if isinstance(text, bytes) else text.encode("utf-8"))


def file_hash(path):
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for data in iter(lambda: file.read(1 << 20), b""):
            digest.update(data)
    return digest.hexdigest()


def expected_files(prefix):
    """Return the hashes that each file may have, by its path: two packages may bring the same file."""
    found = {}
    folder = os.path.join(prefix, "conda-meta")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".json"):
            with io.open(os.path.join(folder, name), encoding="utf-8") as file:
                meta = json.load(file)
            for entry in meta.get("paths_data", {}).get("paths", ()):
                digest = entry.get("sha256_in_prefix") or entry.get("sha256")
                found.setdefault(os.path.join(prefix, entry["_path"]), []).append(digest)
    for site, path in record_files(prefix):
        if path in found:
            continue  # of a conda package, which knows its files itself
        for row in read_rows(path):
            digest = None
            if len(row) == 3 and row[1].startswith("sha256="):
                text = row[1][7:]
                digest = binascii.hexlify(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))).decode("ascii")
            found.setdefault(os.path.normpath(os.path.join(site, row[0])), []).append(digest)
    return found


def test(prefix):
    """Compare every file with the hash that conda or pip has of it, and see that Python knows where it is."""
    wrong, expected = [], expected_files(prefix)
    for path, digests in sorted(expected.items()):
        if not os.path.lexists(path):
            wrong.append("%s is missing" % path)
        elif None not in digests and os.path.isfile(path) and not os.path.islink(path):
            if file_hash(path) not in digests:
                wrong.append("%s is not as it was packaged" % path)
    if os.path.realpath(sys.prefix) != os.path.realpath(prefix):
        wrong.append("Python takes %s for its prefix" % sys.prefix)
    for line in wrong[:20]:
        sys.stderr.write(line + "\n")
    if wrong:
        sys.exit("%d of %d files are wrong" % (len(wrong), len(expected)))
    sys.stdout.write("%d files are as they were packaged; Python %s starts\n" % (len(expected), sys.version.split()[0]))


def compile_all(prefix, name):
    """Compile what has no byte code yet, as if it lay at ``name``; what cannot be compiled stays as it is."""
    import compileall

    options = {"quiet": 2}
    if sys.version_info[0] > 2:
        options["workers"] = 0
    for version in sorted(os.listdir(os.path.join(prefix, "lib"))):
        folder = os.path.join("lib", version)
        if re.match(r"python\d", version) and not os.path.islink(os.path.join(prefix, folder)):
            compileall.compile_dir(os.path.join(prefix, folder), ddir=os.path.join(name, folder), **options)


if __name__ == "__main__":
    if sys.argv[1] == "relocate":
        encode = os.fsencode if hasattr(os, "fsencode") else lambda text: text
        relocate(sys.argv[2], encode(sys.argv[3]), encode(sys.argv[4]))
    elif sys.argv[1] == "compile":
        compile_all(sys.argv[2], sys.argv[3])
    else:
        test(sys.argv[2])
