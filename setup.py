"""Builds the extension seqrnn._core from csrc/; everything else stands in pyproject.toml.

The environment decides the flavour:

    SEQRNN_BLAS=system                   the system's OpenBLAS (by pkg-config), not scipy-openblas32
    SEQRNN_WERROR=1                      strict warnings, and every warning is an error
    SEQRNN_SANITIZE=address,undefined    sanitizers, with debug information
    CC, CFLAGS, LDFLAGS                  as usual; CFLAGS come last

setuptools compiles the files of one extension one after the other, and recompiles all of them when
one has changed. `BuildExt` compiles only what has changed (compiler command, source or any header
it includes), on every core, and leaves the linking to setuptools. The flags of Python's own build
are not used: -fwrapv and -g among them would cost speed and size.
"""

import concurrent.futures
import contextlib
import fcntl
import os
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent

# The Makefile builds the C tests with the same flags; tests/style compares them.
BASE_FLAGS = (
    "-std=c11 -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math "
    "-fvisibility=hidden -D_GNU_SOURCE -pthread"
)
STRICT_FLAGS = (
    "-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith "
    "-Wvla -Wundef -Werror"
)


def sources():
    return sorted(str(p.relative_to(ROOT)) for p in (ROOT / "csrc").rglob("*.c"))


def blas_flags(in_tree):
    """Compiler flags and linker flags for OpenBLAS."""
    if os.environ.get("SEQRNN_BLAS") == "system":

        def ask(option):
            out = subprocess.run(
                ["pkg-config", option, "openblas"], check=True, stdout=subprocess.PIPE, text=True
            )
            return shlex.split(out.stdout)

        return ["-DSRN_BLAS_PREFIX=", *ask("--cflags")], ask("--libs")

    import scipy_openblas32 as blas

    lib = blas.get_lib_dir()
    # Where both packages are installed side by side, as pip does it.
    rpaths = ["$ORIGIN/../scipy_openblas32/lib"]
    if in_tree:
        # The extension then lies in the source tree. Not `lib`: that is in an environment which pip
        # throws away after the build.
        rpaths.append(sysconfig.get_path("platlib") + "/scipy_openblas32/lib")
    return (
        ["-DSRN_BLAS_PREFIX=scipy_", "-isystem", blas.get_include_dir()],
        ["-L" + lib, "-l" + blas.get_library(), *("-Wl,-rpath," + path for path in rpaths)],
    )


class BuildExt(build_ext):
    def run(self):
        # setuptools clears `inplace` while it builds, and copies the result afterwards.
        self.in_tree = bool(self.inplace) or self.editable_mode
        super().run()

    def build_extension(self, ext):
        import numpy

        cflags, ldflags = blas_flags(self.in_tree)
        command = [*compiler(), *shlex.split(BASE_FLAGS), "-fPIC", "-DNDEBUG", "-I", "csrc"]
        # Headers of others are system headers, so our warnings don't apply to them.
        for directory in (numpy.get_include(), *python_includes()):
            command += ["-isystem", directory]
        command += cflags
        if os.environ.get("SEQRNN_WERROR") == "1":
            command += shlex.split(STRICT_FLAGS)
        build_dir = Path("build/in-tree" if self.in_tree else self.build_temp)
        sanitize = os.environ.get("SEQRNN_SANITIZE")
        if sanitize:
            option = "-fsanitize=" + sanitize
            command += [option, "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g"]
            ldflags.append(option)
            build_dir = build_dir.with_name(build_dir.name + "-sanitize")
        command += shlex.split(os.environ.get("CFLAGS", ""))

        with locked(build_dir):
            objects = compile_changed(command, ext.sources, build_dir)
            ext.extra_objects = objects
            ext.depends = objects
            ext.sources = []
            ext.extra_link_args = [*ldflags, "-pthread", "-lm"]
            super().build_extension(ext)

    def get_source_files(self):
        return sources()


def compiler():
    """The user's compiler, else the one that built Python, else cc."""
    ours = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    command = shlex.split(ours)
    if not shutil.which(command[0]) and "CC" not in os.environ:
        os.environ["CC"] = "cc"  # setuptools, which links, reads it too
        command = ["cc"]
    return command


def python_includes():
    paths = sysconfig.get_paths()
    return dict.fromkeys((paths["include"], paths["platinclude"]))


@contextlib.contextmanager
def locked(build_dir):
    """Two builds in one tree wait for each other."""
    build_dir.mkdir(parents=True, exist_ok=True)
    with open(build_dir / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def compile_changed(command, files, build_dir):
    objects = [build_dir / Path(file).with_suffix(".o") for file in files]
    jobs = [
        (file, obj)
        for file, obj in zip(files, objects, strict=True)
        if not up_to_date(obj, command)
    ]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for result in pool.map(lambda job: compile_one(command, *job), jobs):
            if result is not None:
                pool.shutdown(cancel_futures=True)
                raise SystemExit("seqrnn: could not compile " + result)
    return [str(obj) for obj in objects]


def compile_one(command, file, obj):
    """Compiles one file; returns its name when that fails."""
    obj.parent.mkdir(parents=True, exist_ok=True)
    obj.with_suffix(".cmd").unlink(missing_ok=True)
    print("compiling", file, flush=True)
    done = subprocess.run(
        [*command, "-MMD", "-MF", str(obj.with_suffix(".d")), "-c", file, "-o", str(obj)]
    )
    if done.returncode != 0:
        return file
    obj.with_suffix(".cmd").write_text(shlex.join(command))
    return None


def up_to_date(obj, command):
    """Whether `obj` was made by this command from files that have not changed since."""
    try:
        if obj.with_suffix(".cmd").read_text() != shlex.join(command):
            return False
        rule = obj.with_suffix(".d").read_text().replace("\\\n", " ")
        made = obj.stat().st_mtime
        return all(os.stat(path).st_mtime < made for path in rule.split(":", 1)[1].split())
    except OSError:
        return False


setup(
    ext_modules=[Extension("seqrnn._core", sources())],
    cmdclass={"build_ext": BuildExt},
)
