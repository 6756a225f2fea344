"""Packages, and hashes in build strings, that exist on some platforms alone."""

from __future__ import annotations

import re

from jupyter_envstore.spec.selectors import PLATFORMS

Platforms = frozenset[str]
ALL: Platforms = frozenset(PLATFORMS)
SYSTEMS = {"win": "Windows", "osx": "macOS", "linux": "Linux"}


def _of(*systems: str) -> Platforms:
    return frozenset(platform for platform in ALL if platform.partition("-")[0] in systems)


WIN, OSX, LINUX = _of("win"), _of("osx"), _of("linux")
X86: Platforms = frozenset({"linux-64", "osx-64", "win-64"})
CUDA: Platforms = LINUX | WIN


def _table(*rows: tuple[Platforms, str]) -> dict[str, Platforms]:
    return {word: platforms for platforms, words in rows for word in words.split()}


NATIVE = _table(
    (
        WIN,
        "vc vc14_runtime vs2015_runtime vcomp14 ucrt console_shortcut console_shortcut_miniconda powershell_shortcut "
        "powershell_shortcut_miniconda miniforge_console_shortcut msys2-conda-epoch pywin32 pywin32-on-windows "
        "pypiwin32 pywinpty winpty wincertstore win_unicode_console comtypes libwinpthread pthreads-win32 getopt-win32 "
        "pyreadline windows-curses",
    ),
    (OSX, "python.app pyobjc-core appscript applaunchservices rubicon-objc tensorflow-deps"),
    (
        LINUX,
        "_libgcc_mutex libgcc-ng libstdcxx-ng libstdcxx libgfortran-ng libnsl libxcrypt keyutils alsa-lib libsystemd0 "
        "libudev1 libcap libdrm libsanitizer wayland libglvnd libegl libglx libgl libopengl rdma-core libnuma",
    ),
    (frozenset({"linux-64"}), "ld_impl_linux-64"),
    (frozenset({"linux-aarch64"}), "ld_impl_linux-aarch64"),
    (frozenset({"linux-ppc64le"}), "ld_impl_linux-ppc64le"),
)
"""Packages that no channel has for another system, and that come to people unasked: an export lists them."""
NATIVE_FORMS = ((re.compile(r"m2w64-.+|m2-.+"), WIN), (re.compile(r"pyobjc-framework-.+"), OSX))
CHOSEN = _table(
    (X86, "mkl mkl-service mkl_fft mkl_random mkl-include mkl-devel intel-openmp dpcpp_cpp_rt icc_rt daal4py"),
    (CUDA, "cudatoolkit cudnn pytorch-cuda nccl"),
)
"""Packages that not all systems have, and that somebody may want by name: they do not say where a file is from."""
PART_OF = _table(
    (WIN, "menuinst win_inet_pton pyreadline3"),
    (OSX, "appnope libcxx libcxxabi llvm-openmp"),
    (LINUX, "_openmp_mutex libgomp libgcc secretstorage jeepney dbus libuuid"),
)
"""Packages that are to be had elsewhere too, and that an export of one system lists since others need them there."""
EVERYWHERE_FROM = {
    "appnope": (0, 1, 3),
    "jeepney": (),
    "llvm-openmp": (8,),
    "menuinst": (2,),
    "win_inet_pton": (),
}
"""From which version on they are to be had on the other systems, so that an exact version of an export stays."""
NAMED_PLATFORM = re.compile(rf".+_({'|'.join(sorted(PLATFORMS))})")
"""Compilers and what belongs to them: the platform that they are for ends the name."""

PIP_ONLY_ON = _table(
    (
        WIN,
        "pywin32 pypiwin32 pywinpty comtypes wmi winshell pycaw win10toast windows-curses winsdk winloop pyreadline "
        "tensorflow-intel onnxruntime-directml pyaudiowpatch triton-windows wincertstore win-unicode-console",
    ),
    (
        OSX,
        "tensorflow-macos tensorflow-metal jax-metal mlx-metal pyobjc pyobjc-core rumps py2app py-applescript "
        "applescript macfsevents pync appscript",
    ),
    (
        LINUX,
        "systemd-python python-apt dbus-python evdev pyinotify pyudev pytorch-triton-rocm tensorflow-rocm "
        "nvidia-cufile-cu12 nvidia-nvshmem-cu12",
    ),
)
"""Packages of PyPI that have wheels for one system alone, or need what one system has."""
PIP_ONLY_FORMS = ((re.compile(r"winrt-.+"), WIN), (re.compile(r"pyobjc-framework-.+"), OSX))
PIP_NAME_ELSEWHERE = {"tensorflow-macos": "tensorflow", "tensorflow-intel": "tensorflow"}
"""What the same is called on other systems."""

MARKED_BUILDS = (
    (re.compile(r"win_|.*_win(_|$)"), WIN),
    (re.compile(r"osx_|.*_osx(_|$)"), OSX),
    (re.compile(r"linux_|.*_linux(_|$)"), LINUX),
)
"""Build strings that name their system."""
COMPILED = _table(
    (
        frozenset({"win-64"}),
        "haa95532 h2bbff1b he774522 h8ffe710 hcfcfb64 h2466b09 h57928b3 hcbf5309 h5588dad h1ea47a8 h2e8e312 hfa6e2cd "
        "h62dcd97 h5b45459 h56e8100",
    ),
    (WIN, "h4c7d964"),
    (
        frozenset({"osx-64"}),
        "hecd8cb5 h0d85af4 h10d778d hfdf4475 h6e9494a h2ec42d9 h6eed73b h9ed2024 h6c40b1e h1de35cc hca72f7f h0b31af3 "
        "hb7f2c08 h6e16a3a h8857fd0 h033912b",
    ),
    (
        frozenset({"osx-arm64"}),
        "hca03da5 h3422bc3 h93a5062 h99b78c6 h80987f9 hbe9552e h267d04e h1a28f6b h313beb8 h27ca646 hb547adb h5505292 "
        "hd74edd7 hf0a4a13 h4653dfc",
    ),
    (
        frozenset({"linux-64"}),
        "h06a4308 h7b6447c h5eee18b h6a678d5 h27cfd23 h7f98852 h166bdaf hd590300 h4bc722e hb9d3cd8 hb03c661 hf3d152e "
        "hff52083 h38be061 hbcca054 ha878542",
    ),
    (
        frozenset({"linux-aarch64"}),
        "hd43f75c h998d150 h419075a hfd63f10 h2f4d8fa h31becfc h86ecc28 h4e544f5 h68df207 hf897c2e h3557bc0 he30d5cf "
        "hcefe29a h4fd8a4c",
    ),
    (LINUX, "h516909a"),
)
"""Hashes in build strings that only one platform's compilers give: conda-build makes them of the compilers' versions,
and many packages of conda-forge and Anaconda's channels depend on nothing else."""
HASHED = re.compile(r"(?:py\d+)?(h[0-9a-f]{7})_\d+")


def native_platforms(name: str) -> Platforms | None:
    """Return the only platforms that a package of an export can be from; None where it may be from anywhere.

    >>> sorted(native_platforms("m2w64-gmp")), native_platforms("numpy")
    (['win-64', 'win-arm64'], None)
    """
    forms = (platforms for form, platforms in NATIVE_FORMS if form.fullmatch(name))
    return NATIVE.get(name) or next(forms, None)


def only_platforms(name: str) -> Platforms | None:
    """Return the only platforms that have a package at all; None where all may have it."""
    return native_platforms(name) or CHOSEN.get(name)


def built_for(build: str) -> Platforms | None:
    """Return the platforms that a build string names, or that its compilers belong to; None where it does not say."""
    hashed = HASHED.fullmatch(build)
    marked = (platforms for form, platforms in MARKED_BUILDS if form.match(build))
    return COMPILED.get(hashed[1]) if hashed and hashed[1] in COMPILED else next(marked, None)


def pip_only_platforms(name: str) -> Platforms | None:
    """Return the only platforms for which PyPI has a package; None where it may be for all."""
    forms = (platforms for form, platforms in PIP_ONLY_FORMS if form.fullmatch(name))
    return PIP_ONLY_ON.get(name) or next(forms, None)
