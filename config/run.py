"""Start the whole shop from a bare checkout, with any Python 3.11 or newer and nothing else.

`python3 config/run.py` is what `make run` calls: it makes the virtual environment, installs the
packages and hands over to `config.launch`. `--setup run` or `--setup dev` only installs.
Nothing but the standard library can be imported here.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = "uv==0.13.8"
REQUIREMENTS = {
    "run": ("requirements.txt",),
    "dev": ("requirements.txt", "requirements-dev.txt"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="config/run.py", description=__doc__)
    parser.add_argument("--setup", choices=REQUIREMENTS, help="install the packages, start nothing")
    options = parser.parse_args()
    require_system()
    if not options.setup:
        require_free_port(os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000")
    install(options.setup or "run")
    if not options.setup:
        os.chdir(ROOT)
        os.execv(PYTHON, [str(PYTHON), "-m", "config.launch"])


def require_system() -> None:
    """Go on with a newer Python of this machine if this one is too old, or say what is missing."""
    if os.name == "nt":
        stop("Emporium runs on Linux and macOS. On Windows, use it inside WSL, or with Docker.")
    if sys.version_info >= (3, 11):  # noqa: UP036 - this file alone may meet an older Python
        return
    for minor in (13, 12, 11, 14):
        newer = shutil.which(f"python3.{minor}")
        if newer and subprocess.run([newer, "-c", ""], capture_output=True).returncode == 0:
            os.execv(newer, [newer, *sys.argv])
    stop(
        "Emporium needs Python 3.11 or newer; this is Python "
        f"{sys.version_info[0]}.{sys.version_info[1]} ({sys.executable}).\n"
        "Install a newer one, and name it if it is not `python3`: make run PYTHON=python3.12"
    )


def require_free_port(host: str, port: str, *, setting: str = "PORT=8080 make run") -> None:
    """Say now, before any long work, that the shop could not listen there."""
    if not port.isdigit() or not 0 < int(port) < 65536:
        stop(f"PORT is {port!r}: choose a number from 1 to 65535, for example: {setting}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except PermissionError:
            stop(f"Port {port} is for administrators. Choose one above 1023: {setting}")
        except OSError as error:
            stop(
                f"Port {port} of {host} cannot be used ({error.strerror}). Perhaps the shop is "
                f"running already; or choose another port: {setting}"
            )


def install(profile: str) -> None:
    """Make the virtual environment and install the pinned packages, if they changed."""
    import fcntl

    checkout = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(checkout, fcntl.LOCK_EX)  # `make run` and `make test` may start together
        make_environment()
        if is_installed(profile):
            return
        say("Installing the packages; only the first time, this takes about a minute.")
        files = [part for name in REQUIREMENTS[profile] for part in ("-r", str(ROOT / name))]
        if not install_with_uv(files) and run(PYTHON, "-m", "pip", "install", "-q", *files):
            stop("The packages could not be installed; the lines above say why. Nothing else ran.")
        for each in REQUIREMENTS if profile == "dev" else [profile]:
            stamp_file(each).write_text(stamp(each))
    finally:
        os.close(checkout)


def make_environment() -> None:
    has_installer = (VENV / "bin" / "pip").exists() or (VENV / "bin" / "uv").exists()
    if PYTHON.exists() and has_installer:
        return
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        stop(
            "This Python cannot make virtual environments. On Debian and Ubuntu, install the "
            "missing part first: sudo apt install python3-venv"
        )
    say("Making a virtual environment in .venv")
    if run(sys.executable, "-m", "venv", "--clear", VENV):
        stop(f"The virtual environment {VENV} could not be made; the lines above say why.")


def install_with_uv(files: list[str]) -> bool:
    """Install with uv, six times faster than pip. False if uv cannot be had or does not manage."""
    uv = VENV / "bin" / "uv"
    if not uv.exists() and run(PYTHON, "-m", "pip", "install", "-q", UV, quiet=True):
        return False
    return run(uv, "pip", "install", "-q", "--python", PYTHON, *files, quiet=True) == 0


def is_installed(profile: str) -> bool:
    with suppress(FileNotFoundError):
        return stamp_file(profile).read_text() == stamp(profile)
    return False


def stamp_file(profile: str) -> Path:
    return VENV / f".installed-{profile}"


def stamp(profile: str) -> str:
    """Sum up what `profile` installs and into which Python, so that a change is noticed."""
    parts = [ROOT / name for name in REQUIREMENTS[profile]] + [VENV / "pyvenv.cfg"]
    return hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()


def run(*command: str | Path, quiet: bool = False) -> int:
    environment = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", **os.environ}
    if index := os.environ.get("PIP_INDEX_URL"):
        environment.setdefault("UV_DEFAULT_INDEX", index)
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(
        [str(part) for part in command], env=environment, stdout=output, stderr=output
    ).returncode


def say(text: str) -> None:
    print(text, flush=True)


def stop(text: str) -> None:
    print(text, file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
