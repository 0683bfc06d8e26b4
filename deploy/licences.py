"""Under which licence each package stands, and whether it may go out with ours (MIT).

A package says so in one of three places of its metadata: an SPDX expression (new), a free text or
classifiers (old). What none of them says clearly was looked up by hand, in the package itself."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from deploy.packages import Package

# Permissive: keep the notice. MPL: changed files of *theirs* would have to be published; we change
# none. OFL: a font may be bundled with any program.
COMPATIBLE = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "HPND", "ISC", "MIT", "MIT-0",
     "MIT-CMU", "MPL-2.0", "OFL-1.1", "PSF-2.0", "Zlib", "LicenseRef-Matplotlib"}
)  # fmt: skip
# LGPL asks that its user can put another version in its place. `pip install` of another one is
# that: it is imported as it came, and nothing of it is copied.
COMPATIBLE_AS_IT_COMES = {"dingtalk-sdk": "LGPL-3.0-only"}

_BY_HAND = {
    "contourpy": "BSD-3-Clause",
    "cycler": "BSD-3-Clause",
    "grimp": "BSD-2-Clause",
    "import-linter": "BSD-2-Clause",
    "jinja2": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "kubernetes-validate": "Apache-2.0",
    "matplotlib": "LicenseRef-Matplotlib",  # of the PSF's kind, in its own words
    "omegaconf": "BSD-3-Clause",
    "promql-parser": "MIT",
    "protobuf": "BSD-3-Clause",
    "pypdfium2": "BSD-3-Clause AND Apache-2.0",
    "sherpa-onnx": "Apache-2.0",
    "silk-python": "BSD-3-Clause",
    "zen-engine": "MIT",
}
_TEXTS = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "bsd 3-clause license": "BSD-3-Clause",
    "isc license": "ISC",
    "lgpl v3": "LGPL-3.0-only",
    "mit license": "MIT",
    "psfl": "PSF-2.0",
}
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "SIL Open Font License 1.1 (OFL-1.1)": "OFL-1.1",
}


def licence_of(name: str) -> str:
    """SPDX expression of an installed package; LicenseRef-Unknown where nobody has looked."""
    if name in _BY_HAND:
        return _BY_HAND[name]
    told = metadata.metadata(name)
    text = _first(told, "License-Expression") or _first(told, "License")
    known = _TEXTS.get(text.lower(), text)
    try:
        return str(canonicalize_license_expression(known))
    except InvalidLicenseExpression:
        pass
    words = (line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or [])
    named = {_CLASSIFIERS[word] for word in words if word in _CLASSIFIERS}
    return " AND ".join(sorted(named)) or "LicenseRef-Unknown"


def _first(told: metadata.PackageMetadata, field: str) -> str:
    return str(told[field]).strip() if field in told else ""


def is_compatible(package: Package) -> bool:
    """Whether every licence named may go out with ours. Of alternatives each must: there was no
    need yet to choose one."""
    if COMPATIBLE_AS_IT_COMES.get(package.name) == package.licence:
        return True
    words = package.licence.replace("(", " ").replace(")", " ").split()
    return {word for word in words if word not in ("AND", "OR")} <= COMPATIBLE


def table(packages: Iterable[Package]) -> str:
    """The list that is kept beside the lock. Without versions: those stand in the lock."""
    head = ["# Licences of what Gendan uses", "", "Written by `make licences`.", ""]
    rows = ["| package | licence | installed |", "| --- | --- | --- |"]
    when = {"required": "always", "optional": "with an extra", "excluded": "to test and build"}
    for one in packages:
        place = "in the pages" if one.kind == "npm" else when[one.scope]
        rows.append(f"| {one.name} | {one.licence} | {place} |")
    return "\n".join([*head, *rows, ""])
