"""The manifests are valid, and speak of what the program really has: its ports, addresses,
commands, settings and the user of its image."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from aiohttp import web

from config.settings import Settings, load_settings
from connectors.web import health, server

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
VERSIONS = ["1.30", kubernetes_validate.latest_version()]

Manifest = dict[str, Any]


def manifests() -> list[Manifest]:
    files = [one for one in sorted(FOLDER.glob("*.yaml")) if one.name != "kustomization.yaml"]
    return [one for file in files for one in yaml.safe_load_all(file.read_text("utf-8"))]


def the(kind: str) -> Manifest:
    (found,) = [one for one in manifests() if one["kind"] == kind]
    return found


def pods() -> list[Manifest]:
    return [the(kind)["spec"]["template"]["spec"] for kind in ("Deployment", "Job")]


def container(pod: Manifest) -> Manifest:
    (found,) = pod["containers"]
    return dict(found)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As a pod reads them."""
    file = tmp_path / "gendan.toml"
    file.write_text(the("ConfigMap")["data"]["gendan.toml"], encoding="utf-8")
    image = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
    for name, value in re.findall(r"(GENDAN_\w+)=(\S+)", image):
        monkeypatch.setenv(name, value)
    for name, value in the("Secret")["stringData"].items():
        monkeypatch.setenv(name, value)
    for one in container(pods()[0])["env"]:
        monkeypatch.setenv(one["name"], one["value"])
    return load_settings(file)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", manifests(), ids=lambda one: str(one["kind"]))
def test_every_manifest_is_one(manifest: Manifest, version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_a_wrong_manifest_would_be_found() -> None:
    wrong = the("Deployment")
    wrong["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_what_is_applied_together_is_there_and_nothing_else() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))
    apart = {"kustomization.yaml", "secret.example.yaml", "migrate.yaml"}
    assert {*listed["resources"], *apart} == {one.name for one in FOLDER.glob("*.yaml")}
    (image,) = listed["images"]
    assert container(pods()[0])["image"] == image["name"]
    assert container(pods()[1])["image"] == f"{image['newName']}:{image['newTag']}"


def test_the_settings_of_the_pods_are_settings_of_ours(settings: Settings) -> None:
    """A name that the program does not know would be refused at start."""
    assert settings.storage.url.get_secret_value().startswith("postgresql://")
    assert settings.storage.bucket is not None
    assert settings.storage.bucket["name"] == "gendan"
    assert settings.configured
    for pod in pods():
        assert container(pod)["envFrom"] == [{"secretRef": {"name": "gendan"}}]
        assert pod["enableServiceLinks"] is False


def test_ports_and_probes_are_those_of_the_program(settings: Settings) -> None:
    async def never() -> Any:
        raise AssertionError

    served = {one.path for one in health.routes(never, never) if isinstance(one, web.RouteDef)}
    serving = container(pods()[0])
    assert serving["ports"] == [{"name": "http", "containerPort": settings.port}]
    wanted = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    for probe, path in wanted.items():
        assert serving[probe]["httpGet"] == {"path": path, "port": "http"}
        assert path in served
    assert the("Service")["spec"]["ports"][0]["targetPort"] == "http"
    (inwards,) = the("NetworkPolicy")["spec"]["ingress"]
    assert inwards["ports"] == [{"protocol": "TCP", "port": "http"}]


@pytest.mark.parametrize("pod", pods(), ids=["serve", "migrate"])
def test_the_commands_are_commands_of_the_program(pod: Manifest) -> None:
    words = [sys.executable, str(ROOT / "run_bot.py"), *container(pod)["args"], "--help"]
    assert subprocess.run(words, check=False, capture_output=True).returncode == 0  # noqa: S603


@pytest.mark.parametrize("pod", pods(), ids=["serve", "migrate"])
def test_a_pod_may_do_nothing_that_it_need_not(pod: Manifest) -> None:
    (user,) = re.findall(r"^USER (\d+)$", (ROOT / "deploy" / "Dockerfile").read_text(), re.M)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == int(user)
    assert pod["automountServiceAccountToken"] is False
    inner = container(pod)["securityContext"]
    assert inner == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"requests", "limits"} <= container(pod)["resources"].keys()


def test_what_is_written_lies_on_a_volume(settings: Settings) -> None:
    serving = container(pods()[0])
    mounts = {Path(one["mountPath"]) for one in serving["volumeMounts"] if not one.get("readOnly")}
    assert settings.storage.folder.parent in mounts
    assert Path("/tmp") in mounts
    volumes = {one["name"] for one in pods()[0]["volumes"]}
    assert {one["name"] for one in serving["volumeMounts"]} == volumes


def test_one_goes_at_a_time_and_has_time_to_finish() -> None:
    spec = the("Deployment")["spec"]
    assert spec["replicas"] >= 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert the("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    pod = spec["template"]["spec"]
    slept = container(pod)["lifecycle"]["preStop"]["sleep"]["seconds"]
    # As the unit allows, besides what the balancer needs.
    unit = (ROOT / "deploy" / "gendan.service").read_text("utf-8")
    (allowed,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.M)
    assert pod["terminationGracePeriodSeconds"] - slept >= int(allowed) > server.DRAIN_S


def test_everything_finds_the_pods() -> None:
    labels = the("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert the("Deployment")["spec"]["selector"]["matchLabels"] == labels
    assert the("Service")["spec"]["selector"] == labels
    assert the("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    for spread in pods()[0]["topologySpreadConstraints"]:
        assert spread["labelSelector"]["matchLabels"] == labels
    assert the("Job")["spec"]["template"]["metadata"]["labels"] != labels, "no traffic for it"
