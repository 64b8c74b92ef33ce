"""Other people's programs: each installed into an environment of its own, and run to its end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENTS = Path(sys.prefix) / "clients"
INSTALLATION = 900.0
LONGEST = 300.0


class NotInstalledError(Exception):
    """The package index has it not, or not for this Python. Carries what the installer said last."""


class ProgramError(Exception):
    """A program ended otherwise than it should have. Carries what it said last."""


@dataclass(frozen=True)
class Program:
    """An installed program: where its environment is, and which package's version counts."""

    folder: Path
    package: str

    @property
    def version(self) -> str:
        """The version of its package."""
        asked = f"import importlib.metadata as m; print(m.version({self.package!r}))"
        return _run([str(self.command("python")), "-c", asked], None, None, LONGEST).stdout.strip()

    @property
    def modules(self) -> Path:
        """The folder that its packages were installed into."""
        return next((self.folder / "lib").glob("python*/site-packages"))

    def command(self, name: str) -> Path:
        """A command of its environment."""
        return self.folder / "bin" / name

    def run(
        self,
        name: str,
        *arguments: str,
        environment: Mapping[str, str],
        folder: Path,
        expected: int = 0,
    ) -> subprocess.CompletedProcess[str]:
        """What a command prints. Raises ProgramError where it ends with another code than the expected one."""
        command = [str(self.command(name)), *arguments]
        done = _run(command, environment, folder, LONGEST)
        if done.returncode != expected:
            raise ProgramError(f"{name} {arguments[0]} ended with {done.returncode}: {_last(done)}")
        return done


def installed(name: str, requirements: tuple[str, ...], package: str) -> Program:
    """The program with that name, from the environment of an earlier run where it has the same requirements.

    Raises NotInstalledError.
    """
    folder = ENVIRONMENTS / name
    stamp, wanted = folder / "requirements.txt", "\n".join(requirements)
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"installing {name} ...", file=sys.stderr)
        # Some of these have hundreds of packages: pip takes minutes to choose their versions.
        _uv("venv", "--clear", "--python", sys.executable, str(folder))
        _uv("pip", "install", "--python", str(folder / "bin" / "python"), *requirements)
        stamp.write_text(wanted, encoding="utf-8")
    return Program(folder, package)


def _uv(*arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("uv")), "--quiet", *arguments]
    try:
        done = _run(command, None, None, INSTALLATION)
    except ProgramError as error:
        raise NotInstalledError(str(error)) from error
    if done.returncode:
        raise NotInstalledError(_last(done))


def _run(
    command: list[str], environment: Mapping[str, str] | None, folder: Path | None, longest: float
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=longest,
        )
    except subprocess.TimeoutExpired as error:
        raise ProgramError(f"{Path(command[0]).name} still ran after {longest:.0f} s") from error


def _last(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return " / ".join(lines[-3:])
