"""Action libraries: what ships holds what was agreed, and a wrong file is refused as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.activities import Grade, Intent
from bot.domain.library import ActionLibrary, FieldKind
from bot.errors import InvalidInput
from config.library import load_libraries, load_library, read_upload
from config.policy import HERE, ConfigError

LIBRARY = HERE / "actions" / "manufacturing.toml"
SHIPPED = load_libraries(HERE / "actions")

OWN = """\
key: pumps
label: 泵阀
stages:
  - {key: lead, label: 线索, stuck_days: 5}
  - key: quote
    label: 报价
    stuck_days: 10
    fields:
      - {key: flow, label: 流量, question: 流量多少？, kind: number}
      - {key: medium, label: 介质, question: 什么介质？, kind: choice, options: [清水, 酸, 碱]}
      - {key: contact, label: 对接人, question: 谁对接？}
units:
  - key: visit
    label: 选型拜访
    intent: log_visit
    words: [选型]
    deadline_h: 24
    grade: E1
    slots:
      - {key: contact, label: 见面对象, question: 见的是谁？}
      - {key: files, label: 选型表, question: 请发选型表。}
refusals:
  price_high: [比国标泵贵]
"""


def test_the_manufacturing_library_holds_what_was_agreed() -> None:
    library = load_library(LIBRARY)
    assert [stage.label for stage in library.stages] == [
        "初步接触", "需求确认", "方案", "报价", "谈判", "签约",
    ]  # fmt: skip
    required = {
        unit.label: [slot.key for slot in unit.slots if slot.required] for unit in library.units
    }
    assert required == {
        "首次电话": ["duration_min", "objections", "next_contact"],
        "跟进电话": ["duration_min", "next_contact"],
        "方案发送": ["files", "customer_received"],
        "面访预约": ["next_contact", "contact"],
        "面访纪要": ["contact", "next_contact"],
        "报价": ["amount_fen", "files"],
        "沟通记录": [],
    }
    assert [unit.label for unit in library.units if not unit.counts] == ["沟通记录"]


def test_units_leave_it_to_the_policy_unless_they_name_their_own(tmp_path: Path) -> None:
    text = LIBRARY.read_text(encoding="utf-8")
    file = tmp_path / "pumps.toml"
    file.write_text(
        text.replace('label = "报价"\nintent', 'label = "报价"\ndeadline_h = 8\nintent')
    )
    library = load_library(file)
    by_key = {unit.key: unit for unit in library.units}
    assert library.key == "pumps"
    assert (by_key["first_call"].deadline_h, by_key["first_call"].min_duration_s) == (None, None)
    assert (by_key["quote"].deadline_h, by_key["quote"].min_duration_s) == (8, 0)
    assert by_key["quote"].intent is Intent.LOG_QUOTE


@pytest.mark.parametrize(
    ("old", "new", "key", "hint"),
    [
        ('intent = "log_quote"', 'intent = "log_quotes"', "units[6].intent", "log_quote"),
        ('key = "amount_fen"', 'key = "amount"', "stages[5].fields[1].key", "amount_fen"),
        ('key = "quote"\nlabel = "报价"\nintent', 'key = "visit"\nlabel = "报价"\nintent',
         "units", "visit"),
        ("stuck_days = 12", "stuck_days = -1", "stages[4].stuck_days", "at least 1"),
        ('label = "制造业"', "", "label", "non-empty"),
    ],
)  # fmt: skip
def test_a_wrong_library_is_refused(
    tmp_path: Path, old: str, new: str, key: str, hint: str
) -> None:
    text = LIBRARY.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "wrong.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_library(file)
    assert f"wrong.toml: {key}" in str(caught.value)
    assert hint in str(caught.value)


@pytest.mark.parametrize("library", SHIPPED, ids=lambda library: library.key)
def test_every_library_that_ships_can_carry_a_deal_from_first_to_last_stage(
    library: ActionLibrary,
) -> None:
    first, last = library.stages[0], library.stages[-1]
    path = library.path(first.key, last.key)
    assert path is not None
    assert path[-1] is last
    for stage in library.stages[1:]:
        assert sum(one.required for one in stage.fields) >= 3, stage.label


@pytest.mark.parametrize("library", SHIPPED, ids=lambda library: library.key)
def test_every_library_that_ships_knows_the_actions_that_a_rep_tells_of(
    library: ActionLibrary,
) -> None:
    assert {unit.intent for unit in library.units} >= {
        Intent.LOG_CALL, Intent.LOG_VISIT, Intent.BOOK_VISIT, Intent.LOG_QUOTE, Intent.LOG_MESSAGE,
    }  # fmt: skip
    words = [word for unit in library.units for word in unit.words]
    assert len(words) == len(set(words))
    assert len(library.refusals) >= 8


def test_there_is_a_library_for_each_trade() -> None:
    assert {library.label for library in SHIPPED} == {
        "制造业", "工业品分销", "快消品", "SaaS 软件", "零售门店", "医疗器械", "教育培训",
    }  # fmt: skip


def test_an_own_library_in_yaml_is_read_whole() -> None:
    library = read_upload("泵阀.yaml", OWN.encode())
    assert (library.key, library.label) == ("pumps", "泵阀")
    assert library.stages[0].next == ("quote",)
    fields = {one.key: one for one in library.stages[1].fields}
    assert fields["flow"].kind is FieldKind.NUMBER
    assert fields["medium"].options == ("清水", "酸", "碱")
    unit = library.units[0]
    assert (unit.words, unit.deadline_h, unit.grade) == (("选型",), 24, Grade.FILE_ATTACHED)
    assert library.refusals == (("price_high", ("比国标泵贵",)),)


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("deadline_h: 24", "deadline_h: 0", "第17行 units[1].deadline_h", "不能是 0"),
        ("deadline_h: 24", "deadlin_h: 24", "第17行 units[1].deadlin_h", "没有这个键"),
        ("{key: flow,", "{key: flux_x, bad: 1,", "第9行 stages[2].fields[1].bad", "没有这个键"),
        ("key: contact, label: 见面", "key: phone, label: 见面", "第20行", "没有这个字段 phone"),
        ("label: 泵阀\n", "label: 泵阀\nlabel: 泵\n", "第3行", "写了两次"),
        ("label: 泵阀\n", "label: &a 泵阀\n", "第2行", "锚点"),
        ("label: 泵阀\n", "label: !!python/name:os.system 泵阀\n", "第2行", "标签"),
        ("stuck_days: 10", "stuck_days: 10\n    next: [lead]", "第8行 stages[2].next", "成环"),
        ("stuck_days: 10", "stuck_days: 10\n    next: [won]", "第8行", "没有这个阶段"),
        ("key: quote", "key: lead", "第5行 stages[2].key", "重复"),
        ("key: quote", "key: lost", "第5行", "保留"),
        ("options: [清水, 酸, 碱]", "options: [清水]", "第10行", "2 到 9 个选项"),
        ("      - {key: contact, label: 对接人, question: 谁对接？}\n", "", "第8行", "现在是 2 个"),
        ("grade: E1", "grade: E2", "第18行", "E0、E1"),
        ("intent: log_visit", "intent: log_loss", "第15行", "log_visit"),
        ("price_high:", "too_dear:", "第23行 refusals.too_dear", "没有这个异议"),
        ("stages:\n", "stages: 3\nother:\n", "第3行 stages", "列表"),
        ("label: 泵阀\n", "label: [泵阀\n", "第3行", "不是有效的 YAML"),
    ],
)  # fmt: skip
def test_a_wrong_upload_is_refused_with_line_and_reason(
    old: str, new: str, line: str, reason: str
) -> None:
    assert old in OWN
    with pytest.raises(InvalidInput) as refused:
        read_upload("泵阀.yaml", OWN.replace(old, new, 1).encode())
    told = str(refused.value)
    assert line in told
    assert reason in told


def test_the_example_of_the_documentation_is_right() -> None:
    text = (HERE.parent / "docs" / "libraries.md").read_text(encoding="utf-8")
    example = text.split("```yaml\n")[1].split("```")[0]
    assert read_upload("pumps.yaml", example.encode()).label == "泵阀"


def test_one_upload_shows_all_its_mistakes() -> None:
    text = OWN.replace("deadline_h: 24", "deadline_h: 0").replace("stuck_days: 5", "stuck_days: x")
    with pytest.raises(InvalidInput) as refused:
        read_upload("泵阀.yaml", text.encode())
    told = str(refused.value)
    assert "要先改 2 处" in told
    assert "第4行" in told
    assert "第17行" in told


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "空的"),
        (b"x: " + b"a" * 70_000, "太大"),
        ("标签: 泵".encode("gbk"), "UTF-8"),
        (b"a: " + b"[" * 500, "嵌套"),
        (b"a: \x00", "YAML"),
        (b"- 1", "表"),
    ],
)
def test_what_is_no_library_at_all_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        read_upload("x.yaml", data)


def test_an_own_library_may_be_toml_as_well() -> None:
    library = read_upload("own.toml", LIBRARY.read_bytes())
    assert library.key == "own"
    with pytest.raises(InvalidInput, match="TOML"):
        read_upload("own.toml", b"label = ")
