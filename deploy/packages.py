"""What a Gendan is made of: the Python packages it pulls in, and the scripts bundled into pages."""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "deploy" / "constraints.txt"
TEST_EXTRA = "dev"
_SPDX = {"BSD-0-Clause": "0BSD"}  # as htmx.org writes it


@dataclass(frozen=True, slots=True)
class Package:
    """scope: a word of CycloneDX. "required" is always installed, "optional" comes with an extra
    of the program, "excluded" only tests and builds. needs: names of the packages it asks for.
    sha512: of the archive, in hex, where the lock knows it."""

    kind: str  # of a package URL: pypi or npm
    name: str
    version: str
    licence: str
    scope: str
    needs: tuple[str, ...] = ()
    sha512: str = ""

    @property
    def url(self) -> str:
        return f"pkg:{self.kind}/{self.name}@{self.version}"


def project() -> dict[str, object]:
    """The table `project` of pyproject.toml."""
    found: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))[
        "project"
    ]
    return found


def pins() -> dict[str, str]:
    """Name -> version, as `make` installs them.

    Raises ValueError for a line that is more than a pin: an address, an option, a range.
    """
    found: dict[str, str] = {}
    for line in CONSTRAINTS.read_text("utf-8").splitlines():
        name, pinned, version = line.partition("==")
        if not pinned or not name.replace("-", "").replace("_", "").isalnum() or " " in version:
            raise ValueError(f"{CONSTRAINTS.name}: {line}")
        found[canonicalize_name(name)] = version
    return found


def asked_for(extras: Iterable[str] = ()) -> set[str]:
    """Names of the packages that pyproject.toml itself names."""
    return {canonicalize_name(one.name) for one in _own_requirements(set(extras))}


def closure(extras: Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
    """Installed packages that the program with these extras pulls in, itself left out: name ->
    what it asks for. Read from pyproject.toml, so an install of long ago says nothing old.

    Raises importlib.metadata.PackageNotFoundError: one that is asked for is not installed.
    """
    found: dict[str, set[str]] = {}
    asked: dict[str, set[str]] = {}
    waiting = list(_own_requirements(set(extras)))
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        new = set(one.extras) - asked.get(name, set())
        if name in found and not new:
            continue
        asked.setdefault(name, set()).update(one.extras)
        needs = list(_asked_by(metadata.requires(name) or [], asked[name]))
        found.setdefault(name, set()).update(canonicalize_name(need.name) for need in needs)
        waiting += needs
    return {name: tuple(sorted(needs)) for name, needs in sorted(found.items())}


def _own_requirements(extras: set[str]) -> Iterator[Requirement]:
    """Extras of ours may name further extras of ours."""
    table = project()
    named: dict[str, list[str]] = table["optional-dependencies"]  # type: ignore[assignment]
    yield from _asked_by(table["dependencies"], set())  # type: ignore[arg-type]
    for extra in extras:
        for one in _asked_by(named[extra], set()):
            if one.name == table["name"]:
                yield from _own_requirements(set(one.extras))
            else:
                yield one


def _asked_by(lines: Iterable[str], extras: set[str]) -> Iterator[Requirement]:
    for one in map(Requirement, lines):
        if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in {"", *extras}):
            yield one


def python_packages(licence_of: dict[str, str], extras: Iterable[str]) -> list[Package]:
    """All of them that are installed, by name; licence_of: name -> expression."""
    required, optional = set(closure()), set(closure(set(extras) - {TEST_EXTRA}))
    found = []
    for name, needs in closure(extras).items():
        scope = "required" if name in required else "optional"
        if name not in required | optional:
            scope = "excluded"
        version = metadata.version(name)
        found.append(Package("pypi", name, version, licence_of[name], scope, needs))
    return found


def bundled_scripts() -> list[Package]:
    """What esbuild puts into the pages' scripts: the packages of the lock that are no tools."""
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text("utf-8"))["packages"]
    found = []
    for path, entry in sorted(locked.items()):
        name = path.rpartition("node_modules/")[2]
        if not name or entry.get("dev"):
            continue
        digest = base64.b64decode(entry["integrity"].removeprefix("sha512-")).hex()
        needs = tuple(sorted(entry.get("dependencies", {})))
        licence = _SPDX.get(entry["license"], entry["license"])
        found.append(Package("npm", name, entry["version"], licence, "required", needs, digest))
    return found
