"""`payouts compute`, `pack`, `verify` and `words` as people run them: files in, exit codes out."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.domain.payouts.worked_cases import deal, rule, sample_cases
from tests.scenarios.driver import ROOT

TIERS = [{"from_fen": 0, "rate_bp": 200}, {"from_fen": 10_000_000, "rate_bp": 300}]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


def gendan(folder: Path, *words: str) -> Ended:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, str(ROOT / "run_bot.py"), "payouts", *words],
        cwd=folder, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def write(folder: Path, rules: object, facts: object) -> None:
    (folder / "rules.json").write_text(json.dumps(rules), encoding="utf-8")
    (folder / "deals.json").write_text(json.dumps(facts), encoding="utf-8")


def compute(folder: Path) -> Ended:
    return gendan(folder, "compute", "--rules", "rules.json", "--deals", "deals.json")


def test_compute_writes_the_result_of_the_schema(tmp_path: Path) -> None:
    case = next(case for case in sample_cases() if case["id"] == "E05")
    write(tmp_path, case["rules"], {key: case[key] for key in ("deals", "events", "policy")})

    ended = compute(tmp_path)

    result = json.loads(ended.out)
    assert ended.code == 0
    assert result.keys() == {"lines", "by_person"}
    assert result["by_person"] == {"A": 210_000}
    line = {"deal": "D1", "person": "A", "kind": "clawback", "fen": -90_000}
    assert line.items() <= result["lines"][1].items()
    assert result["lines"][1].keys() == {*line, "rule_id", "rule_version", "why"}


def test_compute_gives_what_waits_for_a_person_and_points_out_cliffs(tmp_path: Path) -> None:
    body = rule(mode="whole", tiers=TIERS, fund_bp=2000)
    events: list[dict[str, Any]] = [
        {"type": "payout_run", "at": "2026-03-31T18:00:00+08:00"},
        {"type": "quarter_close", "quarter": "2026Q1", "at": "2026-04-01T09:00:00+08:00"},
        {"type": "clawback_due", "person": "B", "fen": 100, "at": "2026-04-01T09:00:00+08:00"},
    ]
    deals = [deal(contract_fen=2**53 + 1), deal(contract_fen=-1, id="D2")]
    write(tmp_path, [body], {"deals": deals, "events": events})

    ended = compute(tmp_path)

    result = json.loads(ended.out)
    assert ended.code == 0
    assert result["lines"][0]["fen"] == 270_215_977_642_230
    assert result["lines"][0]["run"] == "2026-03-31"
    assert result["needs_review"][0]["deal"] == "D2"
    assert result["needs_review"][0]["reason"] == "negative_contract"
    assert result["fund_fen"] == {"A": 54_043_195_528_446}
    assert result["cash_fen"] == {"A": 216_172_782_113_784}
    assert result["carry_fen"] == {"B": 100}
    assert "断崖" in ended.err


@pytest.mark.parametrize(
    ("rules", "facts", "said"),
    [
        ('[{"id": "R", "version": 1, "mode": "flat", "rate_bp": 2.5}]', "{}", "2.5 不是整数"),
        ('[{"id": "R"}]', '{"deals": []}', "规则 R"),
        ("[", '{"deals": []}', "rules.json：第 1 行"),
        ("[]", '{"deals": [], "deals": []}', "「deals」"),
        ("[]", '{"deals": [{"id": "D1", "contract_fen": 1e5}]}', "1e5 不是整数"),
        ("[]", '{"deals": [{"id": "D1"}]}', "合同 D1"),
    ],
)
def test_what_cannot_be_used_ends_with_2_and_one_line(
    tmp_path: Path, rules: str, facts: str, said: str
) -> None:
    (tmp_path / "rules.json").write_text(rules, encoding="utf-8")
    (tmp_path / "deals.json").write_text(facts, encoding="utf-8")

    ended = compute(tmp_path)

    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_pack_is_written_once_and_verifies(tmp_path: Path) -> None:
    facts = {"deals": [deal(contract_fen=10_000_000)], "events": []}
    write(tmp_path, [rule(mode="flat", rate_bp=300)], facts)
    (tmp_path / "合同.txt").write_text("甲方 乙方", encoding="utf-8")
    files = ("--rules", "rules.json", "--deals", "deals.json", "--person", "A")
    words = ("pack", *files, "--attach", "合同.txt", "a.zip")

    written = gendan(tmp_path, *words)
    verified = gendan(tmp_path, "verify", "a.zip")
    again = gendan(tmp_path, *words)

    assert (written.code, verified.code, again.code) == (0, 0, 2)
    assert verified.out == f"成立：A 合计 3,000.00元，链头 {written.out}"
    assert "不覆盖" in again.err


def test_verify_ends_with_1_where_it_does_not_hold_and_2_where_there_is_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04")

    broken, missing = gendan(tmp_path, "verify", "a.zip"), gendan(tmp_path, "verify", "b.zip")

    assert (broken.code, missing.code) == (1, 2)
    assert "zip" in broken.out
    assert "b.zip" in missing.err
    assert "Traceback" not in broken.err + missing.err


def test_words_says_each_rule_in_a_sentence(tmp_path: Path) -> None:
    write(tmp_path, [rule(mode="flat", rate_bp=300)], {})

    ended = gendan(tmp_path, "words", "--rules", "rules.json")

    assert ended.code == 0
    assert ended.out == "「R」第1版，适用于2026年1月1日起签约的合同：按合同额的 3% 提成。\n"
