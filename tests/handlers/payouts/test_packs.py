"""Evidence packs: what is in them, that they verify, and that nothing tampered with does."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.errors import InvalidInput, NotFound
from handlers.payouts import exact_json, packs
from handlers.payouts.packs import Attachment, Pack, manifest_of, write_pack
from handlers.payouts.verifying import verify
from tests.domain.payouts.worked_cases import WorkedCase, all_cases, deal, rule

FIXTURES = Path(__file__).parents[2] / "fixtures" / "payouts"
TOTAL_OF_FORMAT_1 = 539_000
RULES = [rule(mode="flat", rate_bp=300)]
FACTS = {
    "deals": [
        deal(contract_fen=10_000_000),
        deal(contract_fen=5_000_000, id="D2", closer="B"),
    ],
    "events": [
        {"type": "refund", "deal": "D1", "fen": 1_000_000, "at": "2026-04-02T10:00:00+08:00"},
        {"type": "payment", "deal": "D1", "fen": 10_000_000, "at": "2026-04-01T10:00:00+08:00"},
    ],
}
CONTRACT = Attachment("合同.pdf", "application/pdf", b"%PDF-1.7 contract")


def a_pack(**more: Any) -> Pack:
    return write_pack(RULES, FACTS, "A", attachments=[CONTRACT], **more)


def unzipped(pack: Pack) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pack.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: dict[str, bytes], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def rehashed(parts: dict[str, bytes]) -> bytes:
    """A forger who knows the format: the manifest fits whatever the parts say."""
    told = json.loads(parts["manifest.json"])
    rest = [(name, parts[name]) for name in packs.PARTS_OF[packs.FORMAT_VERSION]]
    rest += sorted((name, parts[name]) for name in parts if name.startswith(packs.FOLDER))
    manifest = manifest_of(
        rest, person=told["person"], previous=told["previous"], wording=told["wording"]
    )
    return zipped({"manifest.json": exact_json.canonical(manifest), **dict(rest)})


def changed(name: str, change: Callable[[Any], None]) -> bytes:
    """The pack with one part edited and all hashes made to fit."""
    parts = unzipped(a_pack())
    body = json.loads(parts[name])
    change(body)
    return rehashed({**parts, name: exact_json.canonical(body)})


def test_a_pack_verifies_from_itself_alone() -> None:
    verdict = verify(a_pack().content)

    assert verdict.findings == ()
    assert (verdict.person, verdict.total_fen) == ("A", 270_000)


def test_a_pack_of_the_first_format_verifies_for_ever() -> None:
    """Wage evidence is kept for years. Where sentences change, WORDING must change too, and
    this pack still holds."""
    verdict = verify((FIXTURES / "pack_of_format_1.zip").read_bytes())

    assert verdict.findings == ()
    assert verdict.total_fen == TOTAL_OF_FORMAT_1


def test_the_same_facts_make_the_same_bytes() -> None:
    assert a_pack() == a_pack()


def test_only_what_concerns_the_person_is_in_it() -> None:
    facts = json.loads(unzipped(a_pack())["facts.json"])
    assert [each["id"] for each in facts["deals"]] == ["D1"]


def test_deals_that_are_added_up_with_theirs_are_in_it() -> None:
    month = [rule(mode="flat", rate_bp=300, scope="rep_month")]
    deals = [
        deal(contract_fen=100, split=[{"person": "B", "weight": 1}]),
        deal(contract_fen=100, id="D2"),
    ]
    pack = write_pack(month, {"deals": deals, "events": []}, "B")

    assert len(json.loads(unzipped(pack)["facts.json"])["deals"]) == 2
    assert verify(pack.content).findings == ()


def test_it_can_be_read_without_any_program() -> None:
    parts = unzipped(a_pack())
    page = parts["readable.html"].decode()
    for words in ("2,700.00元", "D1", "签单人", "协作图", "gendan payouts verify"):
        assert words in page, words
    picture = Image.open(io.BytesIO(parts["collaboration.png"]))
    assert (picture.format, picture.width) == ("PNG", 1080)
    assert parts["readable.pdf"].startswith(b"%PDF-")
    assert b"/Type /Page\n" in parts["readable.pdf"]


def test_what_people_did_and_what_was_read_stand_on_the_page() -> None:
    paper = {
        "deal": "D1",
        "name": "合同.pdf",
        "sha256": "ab",
        "fields": [["卖方", "乙"], ["金额", "9万元"]],
        "lowest_bp": 9_312,
    }
    work = {"D1": {"B": {"面访": 3, "电话": 5}}}
    pack = write_pack(RULES, FACTS, "A", work=work, papers=[paper])
    page = unzipped(pack)["readable.html"].decode()
    assert "D1 B：电话 5次、面访 3次" in page
    assert "最低把握 93.12%" in page
    assert verify(pack.content).findings == ()


def test_a_page_that_says_otherwise_than_the_data_is_found() -> None:
    parts = unzipped(a_pack())
    forged = parts["readable.html"].replace(b"2,700.00", b"9,700.00")
    assert verify(rehashed({**parts, "readable.html": forged})).findings == (
        "readable.html：页面说的与数据不符",
    )


def test_another_closer_on_the_picture_is_found() -> None:
    def change(body: Any) -> None:
        body[0]["people"][0]["roles"] = ["线索提供人"]

    (finding,) = verify(changed("collaboration.json", change)).findings
    assert "签单人" in finding


def test_names_are_no_markup_on_the_page() -> None:
    deals = [deal(contract_fen=100, closer="<img src=x onerror=alert(1)>")]
    rules = [rule(mode="flat", rate_bp=300)]
    pack = write_pack(rules, {"deals": deals, "events": []}, "<img src=x onerror=alert(1)>")
    assert b"<img src=x" not in unzipped(pack)["readable.html"]
    assert verify(pack.content).findings == ()


def test_packs_form_a_chain() -> None:
    first, other = a_pack(), a_pack(previous="ab" * 32)
    assert json.loads(unzipped(other)["manifest.json"])["previous"] == "ab" * 32
    assert first.head != other.head
    assert verify(other.content).head == other.head


def test_attachments_lie_under_their_hash() -> None:
    sha256 = hashlib.sha256(CONTRACT.content).hexdigest()
    assert unzipped(a_pack())[f"attachments/{sha256}"] == CONTRACT.content


def test_nobody_known_gets_no_pack() -> None:
    with pytest.raises(NotFound, match="Z"):
        write_pack(RULES, FACTS, "Z")


def test_rules_that_cannot_be_used_make_no_pack() -> None:
    with pytest.raises(InvalidInput, match="rate_bp"):
        write_pack([rule(mode="flat", rate_bp=-1)], FACTS, "A")


@pytest.mark.parametrize("case", list(all_cases()), ids=lambda case: case.name)
def test_every_worked_case_verifies(case: WorkedCase) -> None:
    for person in case.compute().by_person:
        if person != "__unassigned__":
            assert verify(write_pack(case.rules, case.facts, person).content).findings == ()


@pytest.mark.parametrize("name", [*packs.JSON_PARTS, "manifest.json"])
def test_a_byte_changed_is_found(name: str) -> None:
    parts = unzipped(a_pack())
    content = parts[name].replace(b'"', b'"x', 1) if b'"' in parts[name] else b'["x"]'

    assert verify(zipped({**parts, name: content})).findings


def test_an_amount_changed_with_its_hashes_is_found_in_words() -> None:
    def more(result: Any) -> None:
        result["lines"][0]["fen"] += 100
        result["total_fen"] += 100

    findings = verify(changed("result.json", more)).findings

    assert "证据包写 3,001.00元，重算为 3,000.00元" in findings[0]
    assert "total_fen" in findings[1]


def test_a_fact_changed_with_its_hashes_is_found() -> None:
    def larger(facts: Any) -> None:
        facts["deals"][0]["contract_fen"] = 20_000_000

    assert any(
        "重算为 6,000.00元" in each for each in verify(changed("facts.json", larger)).findings
    )


def test_a_rule_changed_with_its_hashes_is_found() -> None:
    def higher(rules: Any) -> None:
        rules[0]["rate_bp"] = 400

    assert any("4,000.00元" in each for each in verify(changed("rules.json", higher)).findings)


@pytest.mark.parametrize(
    ("name", "word"),
    [("words.json", "规则的文字说明"), ("steps.json", "计算步骤")],
)
def test_words_that_do_not_fit_the_rule_are_found(name: str, word: str) -> None:
    def empty(body: Any) -> None:
        body[0]["rule_id" if name == "steps.json" else "words"] = "别的"

    assert any(word in each for each in verify(changed(name, empty)).findings)


def test_a_line_left_out_is_found() -> None:
    def fewer(result: Any) -> None:
        del result["lines"][1]

    assert any("clawback" in each for each in verify(changed("result.json", fewer)).findings)


def test_words_of_another_programs_wording_are_checked_by_hash_only() -> None:
    parts = unzipped(a_pack())
    manifest = json.loads(parts["manifest.json"])
    words = [{"id": "R", "version": 1, "words": "按旧的说法写的规则"}]
    parts["words.json"] = exact_json.canonical(words)
    parts["manifest.json"] = exact_json.canonical({**manifest, "wording": 0})

    verdict = verify(rehashed(parts))

    assert verdict.findings == ()
    assert not verdict.same_wording


@pytest.mark.parametrize(
    "content",
    [
        b'{"deals": [], "events": [], "policy": {}}',
        b'{"events":[],"deals":[],"policy":{}}',
        b'\xef\xbb\xbf{"deals":[],"events":[],"policy":{}}',
        b'{"deals":[],"events":[],"events":[],"policy":{}}',
        b'{"deals":[{"contract_fen":1.0}],"events":[],"policy":{}}',
        b'{"deals":["\\u5408"],"events":[],"policy":{}}',
        b'{"deals":["\\ud800"],"events":[],"policy":{}}',
        b'{"deals":[NaN],"events":[],"policy":{}}',
        b"\xff",
        b"[" * 100_000,
        b'{"deals":[' + b"9" * 5_000 + b'],"events":[],"policy":{}}',
    ],
    ids=[
        "spaces", "unsorted", "mark", "twice", "fraction", "escaped", "half", "nan", "latin",
        "deep", "digits",
    ],
)  # fmt: skip
def test_json_that_is_not_canonical_is_refused(content: bytes) -> None:
    findings = verify(rehashed({**unzipped(a_pack()), "facts.json": content})).findings
    assert len(findings) == 1
    assert findings[0].startswith("facts.json：")


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/passwd",
        "attachments/../../evil",
        "attachments/readme",
        "extra.json",
        "a\x00b",
    ],
)
def test_a_name_that_is_not_of_the_format_is_refused(name: str) -> None:
    findings = verify(zipped({**unzipped(a_pack()), name: b"x"})).findings
    assert len(findings) == 1
    assert "不属于证据包的条目" in findings[0]


def test_an_attachment_that_is_not_listed_is_refused() -> None:
    name = f"attachments/{hashlib.sha256(b'x').hexdigest()}"
    findings = verify(rehashed({**unzipped(a_pack()), name: b"x"})).findings
    assert findings == ("attachments.json：列出的附件与包里的附件不符",)


def test_an_attachment_under_a_wrong_hash_is_refused() -> None:
    parts = unzipped(a_pack())
    name = next(name for name in parts if name.startswith("attachments/"))
    assert verify(rehashed({**parts, name: b"another contract"})).findings[0].startswith(name)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_an_entry_given_twice_is_refused() -> None:
    buffer = io.BytesIO(a_pack().content)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("result.json", b"{}")
    assert "出现两次" in verify(buffer.getvalue()).findings[0]


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    parts = {**unzipped(a_pack()), "steps.json": bytes(65 * 1024 * 1024)}
    bomb = zipped(parts, compression=zipfile.ZIP_DEFLATED)

    assert len(bomb) < 1_000_000
    assert "超过 64 MB" in verify(bomb).findings[0]


def test_an_entry_larger_than_it_claims_is_refused() -> None:
    """The size in the directory is made smaller than what the data unpacks to."""
    parts = unzipped(a_pack())
    content = bytearray(
        zipped({**parts, "steps.json": bytes(5_000)}, compression=zipfile.ZIP_DEFLATED)
    )
    size = (5_000).to_bytes(4, "little")
    while size in content:
        at = content.index(size)
        content[at : at + 4] = (4_000).to_bytes(4, "little")

    assert "zip" in verify(bytes(content)).findings[0]


def test_too_many_entries_are_refused() -> None:
    many = {f"attachments/{n:064x}": b"" for n in range(1_001)}
    assert "超过 1000 个" in verify(zipped(many)).findings[0]


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_is_refused(compression: int) -> None:
    findings = verify(zipped(unzipped(a_pack()), compression=compression)).findings
    assert "别的压缩方法" in findings[0]


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", a_pack().content[:-40]])
def test_what_is_no_zip_does_not_hold(content: bytes) -> None:
    assert "zip" in verify(content).findings[0]


@pytest.mark.parametrize(
    "manifest",
    [{}, [], {"format": "other"}, {"format": packs.FORMAT, "format_version": 3},
     {"format": packs.FORMAT, "format_version": 1, "person": "A", "head": [], "previous": "x"}],
)  # fmt: skip
def test_a_manifest_of_another_shape_does_not_hold(manifest: object) -> None:
    parts = {**unzipped(a_pack()), "manifest.json": exact_json.canonical(manifest)}
    assert verify(zipped(parts)).findings[0].startswith("manifest.json")


@pytest.mark.parametrize("name", packs.PARTS_OF[packs.FORMAT_VERSION])
def test_a_part_that_is_missing_is_named(name: str) -> None:
    parts = unzipped(a_pack())
    del parts[name]
    assert name in verify(zipped(parts)).findings[0]


@pytest.mark.parametrize("name", packs.JSON_PARTS)
@pytest.mark.parametrize(
    "content", [b"null", b"[1]", b'{"lines":[{"fen":"x"}]}', b'[{"sha256":1}]']
)
def test_parts_of_another_shape_do_not_hold(name: str, content: bytes) -> None:
    assert verify(rehashed({**unzipped(a_pack()), name: content})).findings
