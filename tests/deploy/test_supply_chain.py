"""What goes out to others: pinned, listed, licensed, built the same each time, and complete."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from urllib.request import urlopen

import pytest

from deploy import __main__ as commands
from deploy import packages, sbom, wheel
from deploy.licences import is_compatible, table
from deploy.packages import Package

ROOT = packages.ROOT


@pytest.fixture(scope="module")
def everything() -> list[Package]:
    return commands.every_package()


def test_the_lock_names_packages_and_no_registry() -> None:
    assert len(packages.pins()) > 100
    npm = (ROOT / "web" / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in npm
    assert "://" not in (ROOT / "deploy" / "constraints.txt").read_text("utf-8")


@pytest.mark.parametrize("line", ["aiohttp>=3", "--index-url x==1", "a @ https://b/c==1", "six"])
def test_a_line_that_is_no_pin_is_refused(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "constraints.txt"
    file.write_text(f"six==1.17.0\n{line}\n", encoding="utf-8")
    monkeypatch.setattr(packages, "CONSTRAINTS", file)
    with pytest.raises(ValueError, match="constraints"):
        packages.pins()


def test_everything_that_is_installed_is_pinned_and_at_its_pin(everything: list[Package]) -> None:
    pins = packages.pins()
    python = {one.name: one.version for one in everything if one.kind == "pypi"}
    assert len(python) > 80
    assert python == {name: pins.get(name) for name in python}


def test_every_licence_may_go_out_with_ours(everything: list[Package]) -> None:
    assert [one for one in everything if not is_compatible(one)] == []


def test_a_strange_licence_is_not_taken_for_a_good_one() -> None:
    def judged(name: str, licence: str) -> bool:
        return is_compatible(Package("pypi", name, "1", licence, "required"))

    assert judged("a", "MIT AND (Apache-2.0 OR BSD-2-Clause)")
    assert not judged("a", "MIT AND GPL-3.0-only")
    assert not judged("a", "LicenseRef-Unknown")
    assert not judged("a", "LGPL-3.0-only"), "only what was looked at may be under the LGPL"


def test_the_list_of_licences_is_the_one_that_make_writes(everything: list[Package]) -> None:
    """Rows of extras that this environment lacks are left as they are. Without them a package
    that they share with the tests seems to be the tests' alone, so the last column is not asked."""

    def told(text: str) -> set[tuple[str, ...]]:
        return {tuple(row.split(" | ")[:2]) for row in text.splitlines() if row.startswith("| ")}

    missing = told(table(everything)) - told(commands.LICENCES.read_text("utf-8"))
    assert missing == set(), "make licences"
    assert len(told(table(everything))) > 80


def test_the_bill_names_all_and_who_asks_for_whom(everything: list[Package]) -> None:
    text = sbom.bill(everything)
    assert text == sbom.bill(commands.every_package()), "the same packages, the same bytes"
    bill = json.loads(text)
    refs = {one["bom-ref"] for one in bill["components"]}
    names = {one["name"]: one for one in bill["components"]}
    assert {"aiohttp", "sqlalchemy", "echarts", "htmx-org"} <= {
        name.replace(".", "-") for name in names
    }
    assert names["aiohttp"]["scope"] == "required"
    assert names["pytest"]["scope"] == "excluded"
    assert len(names["echarts"]["hashes"][0]["content"]) == 128
    needs = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    assert set().union(*needs.values()) <= refs
    assert names["multidict"]["bom-ref"] in needs[names["aiohttp"]["bom-ref"]]
    assert names["aiohttp"]["bom-ref"] in needs[bill["metadata"]["component"]["bom-ref"]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.build(tmp_path_factory.mktemp("wheel"))


def test_two_builds_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)  # of somebody who is careful
    try:
        assert wheel.build(tmp_path).read_bytes() == built.read_bytes()
        later = wheel.build(tmp_path / "later", epoch_s=1_800_000_000)
    finally:
        os.umask(before)
    assert later.read_bytes() != built.read_bytes()


def test_nothing_of_the_workshop_is_in_the_wheel(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {
        "bot", "config", "connectors", "handlers", "run_bot.py", "speech", "storage", "web",
    }  # fmt: skip
    assert not [name for name in names if "__pycache__" in name or name.startswith("web/src")]


def test_without_built_pages_there_is_no_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheel, "ROOT", tmp_path)
    with pytest.raises(wheel.NoPages):
        wheel.build(tmp_path / "out")


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel and what it says it needs, no more: those are linked
    from here, where pip has put them, so that no network is asked for. Its folder of scripts."""
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home, with_pip=False, symlinks=True)
    (site,) = home.glob("lib/python*/site-packages")
    for name in packages.closure():
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            source = Path(str(distribution.locate_file(top)))
            if source.exists() and not (site / top).exists():
                (site / top).symlink_to(source)
    subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python"), "install",
         "--quiet", "--no-deps", "--no-index", str(built)],
        check=True,
    )  # fmt: skip
    return home / "bin"


@contextlib.contextmanager
def run(command: Path, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Ended and waited for on leaving."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    with subprocess.Popen(  # noqa: S603 - our own arguments
        [str(command), *arguments], cwd=folder, env=clean, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()


def fetched(url: str) -> str:
    with urlopen(url) as answer:  # noqa: S310 - our own address
        return str(answer.read().decode())


def test_the_installed_sandbox_works_far_from_the_sources(installed: Path, tmp_path: Path) -> None:
    with run(installed / "gendan", tmp_path, "sandbox", "--port", "0") as sandbox:
        assert sandbox.stdout is not None
        told = ""
        for line in sandbox.stdout:
            told += line
            if "http://" in line:
                break
        assert "http://" in told, told
        assert "scripts" not in told, "the pages were not found"
        url = told[told.index("http://") :].split("/sandbox")[0]
        assert len(json.loads(fetched(f"{url}/sandbox/api/world"))["customers"]) > 5
        assert "<html" in fetched(f"{url}/sandbox")
        assert '"storage"' in fetched(f"{url}/readyz")
        names = json.loads((ROOT / "web/build/manifest.json").read_text("utf-8"))
        assert fetched(f"{url}/assets/{names['page.css']}")


def test_the_installed_commands_find_their_files(installed: Path, tmp_path: Path) -> None:
    for command in ("upgrade", "verify"):
        with run(installed / "gendan", tmp_path, "db", command) as done:
            said, _ = done.communicate(timeout=60)
            assert done.returncode == 0, said
    assert (tmp_path / "data" / "gendan.db").exists()
