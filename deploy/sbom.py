"""The bill of materials in CycloneDX 1.6 (JSON). The same packages give the same bytes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from deploy.packages import Package, asked_for, project


def bill(packages: Sequence[Package]) -> str:
    """Of the program and all packages; scopes say what is always there."""
    table = project()
    own = f"pkg:pypi/{table['name']}@{table['version']}"
    urls = {(one.kind, one.name): one.url for one in packages}
    components = [_component(one) for one in packages]
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": table["name"],
                "version": table["version"],
                "licenses": [{"license": {"id": table["license"]}}],
                "purl": own,
            }
        },
        "components": components,
        "dependencies": [
            {"ref": own, "dependsOn": sorted(_direct(packages))},
            *({"ref": one.url, "dependsOn": _needs(one, urls)} for one in packages),
        ],
    }
    content = json.dumps(document, sort_keys=True)
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}"
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _component(one: Package) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": one.url,
        "name": one.name,
        "version": one.version,
        "scope": one.scope,
        "licenses": [{"expression": one.licence}],
        "purl": one.url,
    }
    if one.sha512:
        found["hashes"] = [{"alg": "SHA-512", "content": one.sha512}]
    return found


def _direct(packages: Sequence[Package]) -> set[str]:
    """Those that the program itself names; of the scripts those that no other script asks for."""
    named = asked_for(project()["optional-dependencies"])  # type: ignore[arg-type]
    asked = {need for one in packages if one.kind == "npm" for need in one.needs}
    return {
        one.url
        for one in packages
        if (one.name in named if one.kind == "pypi" else one.name not in asked)
    }


def _needs(one: Package, urls: dict[tuple[str, str], str]) -> list[str]:
    return [urls[one.kind, need] for need in one.needs if (one.kind, need) in urls]
