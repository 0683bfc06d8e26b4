"""Whether an evidence pack holds: its hashes, its form, and the payout computed anew from it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.payouts.money import yuan
from bot.domain.payouts.words import WORDING
from bot.errors import InvalidInput
from handlers.payouts import archives, collaboration, documents, exact_json, readable
from handlers.payouts.packs import (
    FOLDER,
    FORMAT,
    JSON_PARTS,
    MANIFEST,
    PARTS_OF,
    manifest_of,
    recomputed,
)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LINE_KEYS = ("deal", "person", "kind", "rule_id", "rule_version", "run")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an evidence pack holds. findings: what does not hold, in Chinese; empty when
    everything does."""

    findings: tuple[str, ...]
    person: str = ""
    total_fen: int = 0
    head: str = ""
    same_wording: bool = True


def verify(content: bytes) -> Verdict:
    """Checks a pack with nothing but the pack."""
    try:
        parts = archives.read_parts(content)
        manifest = _manifest(parts)
    except (archives.ArchiveRefused, InvalidInput) as problem:
        return Verdict((str(problem),))
    findings = [*_hash_findings(manifest, parts), *_attachment_findings(parts)]
    if not findings:
        findings += _content_findings(manifest, parts)
    if findings:
        return Verdict(tuple(findings), head=manifest["head"])
    result = exact_json.parse(parts["result.json"], "result.json")
    return Verdict(
        (),
        person=manifest["person"],
        total_fen=result["total_fen"],
        head=manifest["head"],
        same_wording=manifest["wording"] == WORDING,
    )


def _manifest(parts: Mapping[str, bytes]) -> dict[str, Any]:
    """Raises InvalidInput unless it is there, canonical and of this format."""
    if MANIFEST not in parts:
        raise InvalidInput(f"缺少 {MANIFEST}，不是证据包")
    manifest = _document(parts, MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise InvalidInput(f"{MANIFEST}：format 不是 {FORMAT}")
    version = manifest.get("format_version")
    if not isinstance(version, int) or version not in PARTS_OF:
        raise InvalidInput(f"{MANIFEST}：只认得第 {'、'.join(map(str, PARTS_OF))} 版格式")
    texts = (manifest.get("person"), manifest.get("head"), manifest.get("previous"))
    if not all(isinstance(text, str) for text in texts):
        raise InvalidInput(f"{MANIFEST}：缺少 person、head 或 previous")
    if not _SHA256.fullmatch(manifest["previous"]) or not isinstance(manifest.get("wording"), int):
        raise InvalidInput(f"{MANIFEST}：previous 或 wording 不对")
    missing = [name for name in PARTS_OF[version] if name not in parts]
    if missing:
        raise InvalidInput(f"缺少 {'、'.join(missing)}")
    known = {MANIFEST, *PARTS_OF[version]}
    strange = [name for name in parts if name not in known and not name.startswith(FOLDER)]
    if strange:
        raise InvalidInput(f"有不属于第 {version} 版格式的 {'、'.join(strange)}")
    return manifest


def _document(parts: Mapping[str, bytes], name: str) -> Any:
    """Raises InvalidInput unless it is canonical JSON."""
    value = exact_json.parse(parts[name], name)
    if exact_json.canonical(value) != parts[name]:
        raise InvalidInput(f"{name}：不是规范的 JSON(键排序、无空格、UTF-8)")
    return value


def _hash_findings(manifest: Mapping[str, Any], parts: Mapping[str, bytes]) -> Iterator[str]:
    """Compares the manifest with the one that these parts have."""
    version = manifest["format_version"]
    ordered = [(name, parts[name]) for name in PARTS_OF[version]]
    ordered += sorted((name, parts[name]) for name in parts if name.startswith(FOLDER))
    expected = manifest_of(
        ordered,
        person=manifest["person"],
        previous=manifest["previous"],
        wording=manifest["wording"],
        version=version,
    )
    told = manifest.get("parts")
    by_name = {
        str(each.get("name")): each
        for each in (told if isinstance(told, list) else ())
        if isinstance(each, dict)
    }
    for part in expected["parts"]:
        listed = by_name.get(part["name"])
        if listed is None:
            yield f"{part['name']}：清单里没有它"
        elif listed.get("sha256") != part["sha256"]:
            yield f"{part['name']}：内容被改动过，SHA-256 与清单不符"
    if manifest["head"] != expected["head"]:
        yield f"哈希链的头不符：清单写 {manifest['head']}，重算为 {expected['head']}"
    elif manifest != expected:
        yield f"{MANIFEST}：清单与内容不符"


def _attachment_findings(parts: Mapping[str, bytes]) -> Iterator[str]:
    stored = {name for name in parts if name.startswith(FOLDER)}
    for name in sorted(stored):
        if hashlib.sha256(parts[name]).hexdigest() != name.removeprefix(FOLDER):
            yield f"{name}：内容与它的哈希不符"
    try:
        listed = _document(parts, "attachments.json")
    except InvalidInput as problem:
        yield str(problem)
        return
    entries = listed if isinstance(listed, list) else [None]
    named = {
        f"{FOLDER}{each['sha256']}": each.get("size")
        for each in entries
        if isinstance(each, dict) and isinstance(each.get("sha256"), str)
    }
    if len(named) > len(entries) or named.keys() != stored:
        yield "attachments.json：列出的附件与包里的附件不符"
    elif any(len(parts[name]) != size for name, size in named.items()):
        yield "attachments.json：附件大小不符"


def _content_findings(manifest: Mapping[str, Any], parts: Mapping[str, bytes]) -> Iterator[str]:
    """Computes the payout from the pack's rules and facts and compares."""
    try:
        told = {name: _document(parts, f"{name}.json") for name in ("words", "steps", "result")}
        rules = documents.to_rules(_document(parts, "rules.json"))
        facts = documents.to_facts(_document(parts, "facts.json"))
    except InvalidInput as problem:
        yield str(problem)
        return
    again = recomputed(rules, facts, manifest["person"])
    differences = [*_result_differences(told["result"], again["result"])]
    yield from differences
    if manifest["wording"] != WORDING or differences:
        return
    if told["result"] != again["result"]:
        yield "result.json：说明与重算的不符"
    for name, word in (("words", "规则的文字说明"), ("steps", "计算步骤")):
        if told[name] != again[name]:
            yield f"{name}.json：{word}与规则和单据不符"
    if manifest["format_version"] > 1:
        yield from _readable_findings(manifest, parts)


def _readable_findings(manifest: Mapping[str, Any], parts: Mapping[str, bytes]) -> Iterator[str]:
    """The page must say what the data say. The PDF and the picture are known by their hashes."""
    try:
        told = {name: _document(parts, name) for name in JSON_PARTS}
        did = {
            str(one["deal"]): {person["person"]: person["did"] for person in one["people"]}
            for one in told["collaboration.json"]
        }
        if collaboration.document(told["facts.json"], did) != told["collaboration.json"]:
            yield "collaboration.json：签单人、拆分与单据不符"
            return
        shown = readable.blocks(told, person=manifest["person"], previous=manifest["previous"])
        page = readable.to_html(shown, title=shown[0].text)
    except InvalidInput as problem:
        yield str(problem)
        return
    except (KeyError, TypeError, ValueError, AttributeError):
        yield "collaboration.json 或 papers.json：不是证据包的形式"
        return
    if page != parts[readable.PAGE]:
        yield f"{readable.PAGE}：页面说的与数据不符"


def _result_differences(told: object, again: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(told, dict) or not _are_lines(told.get("lines")):
        yield "result.json：没有逐行的结果"
        return
    before, now = _amounts(told["lines"]), _amounts(again["lines"])
    for key in dict.fromkeys([*before, *now]):
        if before[key] != now[key]:
            deal, person, kind, rule_id, version, _ = key
            yield (
                f"合同 {deal}，{person}，{kind}(规则 {rule_id} 第{version}版)："
                f"证据包写 {yuan(before[key])}，重算为 {yuan(now[key])}"
            )
    for name in ("total_fen", "fund_fen", "cash_fen", "carry_fen"):
        if told.get(name) != again.get(name):
            yield f"result.json {name}：证据包写 {told.get(name)} 分，重算为 {again.get(name)} 分"


def _are_lines(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(line, dict)
        and isinstance(line.get("fen"), int)
        and all(isinstance(line.get(key), str | int | None) for key in _LINE_KEYS)
        for line in value
    )


def _amounts(lines: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    amounts: Counter[tuple[Any, ...]] = Counter()
    for line in lines:
        amounts[tuple(line.get(key) for key in _LINE_KEYS)] += line["fen"]
    return amounts
