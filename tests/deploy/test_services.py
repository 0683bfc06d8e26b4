"""The service and the containers that an operator starts, as far as they can be read: the systemd
unit and the compose file."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.settings import Settings
from deploy.packages import ROOT

DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "gendan.service"
COMPOSED: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


def test_the_image_runs_as_nobody_in_particular_and_writes_where_it_may() -> None:
    lines = (DEPLOY / "Dockerfile").read_text("utf-8")
    assert re.search(r"^USER 10001$", lines, re.MULTILINE)
    composed = COMPOSED["services"]
    assert composed["gendan"]["read_only"] is True
    assert composed["gendan"]["cap_drop"] == ["ALL"]
    assert not Settings().storage.folder.is_absolute(), "so it lies in the folder it works in"
    (works_in,) = re.findall(r"^WORKDIR (\S+)$", lines, re.MULTILINE)
    assert f"data:{works_in}" in composed["gendan"]["volumes"]
    for service in composed.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./") and Path(source).suffix == ".yml":
                assert (DEPLOY / source).exists(), source


def test_what_the_services_share_and_keep_is_declared() -> None:
    kept: set[str] = set()
    for service in COMPOSED["services"].values():
        sources = {volume.split(":")[0] for volume in service.get("volumes", [])}
        kept |= {source for source in sources if not source.startswith((".", "/"))}
        assert set(service.get("secrets", [])) <= COMPOSED["secrets"].keys()
    assert kept == COMPOSED["volumes"].keys()


def test_a_container_has_as_long_to_finish_as_the_unit_gives() -> None:
    (allowed,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT.read_text("utf-8"), re.MULTILINE)
    assert COMPOSED["services"]["gendan"]["stop_grace_period"] == f"{allowed}s"


def test_docker_compose_understands_the_file() -> None:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed")
    profiles = [one for one in COMPOSED["services"].values() for one in one.get("profiles", [])]
    named = [word for one in profiles for word in ("--profile", one)]
    asked = [program, "-f", str(DEPLOY / "compose.yaml"), *named, "config", "--services"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603
    assert told.returncode == 0, told.stderr
    assert set(told.stdout.split()) == COMPOSED["services"].keys()


def test_the_unit_starts_the_program_and_shuts_the_rest_away() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT)
    service = unit["Service"]
    assert service["ExecStart"].endswith("/gendan serve")
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    text = UNIT.read_text("utf-8")
    text = text.replace("/opt/gendan/bin/gendan", shutil.which("true") or "/bin/true")
    (tmp_path / "gendan.service").write_text(text, encoding="utf-8")
    judged = subprocess.run(  # noqa: S603 - our own file
        [program, "verify", "--man=no", str(tmp_path / "gendan.service")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [line for line in judged.stderr.splitlines() if "gendan.service" in line] == []
