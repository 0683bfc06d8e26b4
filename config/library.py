"""A file of an action library, YAML or TOML -> `ActionLibrary`, checked as a whole.

Every mistake is told with its line (YAML) and its place, so that one look shows them all.
docs/libraries.md has the schema.
"""

from __future__ import annotations

import graphlib
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path, PurePath
from typing import TypeVar

from bot.domain.activities import OBJECTIONS, Grade, Intent
from bot.domain.conversions import NEEDED_FIELDS
from bot.domain.drafting import RESERVED_SLOTS
from bot.domain.library import ActionLibrary, ActionUnit, FieldKind, SlotSpec, Stage
from bot.domain.opportunities import OpportunityState
from bot.errors import InvalidInput
from config.marked import Node, Unreadable, read_toml, read_yaml
from config.policy import SLOTS, ConfigError

SUFFIXES = (".yaml", ".yml", ".toml")
MOST_STAGES, MOST_UNITS, MOST_SLOTS, MOST_WORDS = 20, 60, 20, 60
MOST_MISTAKES = 20
LONGEST_STUCK_DAYS, LONGEST_DEADLINE_H = 250, 24 * 30

_KEY = re.compile(r"[a-z][a-z0-9_]{0,29}")
_INTENTS = (
    Intent.LOG_CALL, Intent.LOG_VISIT, Intent.LOG_MESSAGE, Intent.LOG_PROPOSAL, Intent.LOG_QUOTE,
    Intent.BOOK_VISIT,
)  # fmt: skip
_PROOFS = (Grade.SELF_REPORTED, Grade.FILE_ATTACHED)

Member = TypeVar("Member", bound=StrEnum)


def load_library(path: Path) -> ActionLibrary:
    """config/actions/<key>.toml or .yaml. Raises ConfigError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}：读不到 (cannot be read: {error.strerror})") from None
    mistakes, library = _read(path.name, data)
    if library is None:
        raise ConfigError(f"{path.name}: {'；'.join(mistakes)}")
    return library


def load_libraries(folder: Path) -> list[ActionLibrary]:
    """Every library of a folder, by key. Raises ConfigError."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}：没有这个文件夹 (no such folder)")
    paths = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    return [load_library(path) for path in paths]


def read_upload(name: str, data: bytes) -> ActionLibrary:
    """A library as somebody sent it. Raises InvalidInput that lists its mistakes, a line each."""
    mistakes, library = _read(name, data)
    if library is None:
        more = len(mistakes) - MOST_MISTAKES
        tail = [f"……还有 {more} 处"] if more > 0 else []
        listed = [f"- {mistake}" for mistake in mistakes[:MOST_MISTAKES]]
        head = f"动作库「{PurePath(name).name}」没有导入，要先改 {len(mistakes)} 处："
        raise InvalidInput("\n".join([head, *listed, *tail]))
    return library


def _read(name: str, data: bytes) -> tuple[list[str], ActionLibrary | None]:
    """Mistakes, or the library without one."""
    try:
        root = read_toml(data) if name.lower().endswith(".toml") else read_yaml(data)
    except Unreadable as error:
        return [str(error)], None
    mistakes: list[str] = []
    library = _library(_Sheet(root, "", mistakes), PurePath(name).stem)
    return mistakes, None if mistakes else library


class _Sheet:
    """One table of a file, whose keys are taken out one by one. A wrong value is noted among
    `mistakes`, and something harmless answered, so that reading goes on."""

    def __init__(self, node: Node, path: str, mistakes: list[str]) -> None:
        self._node = node
        self._path = path
        self._mistakes = mistakes
        self._given: dict[str, Node] = node.value if isinstance(node.value, dict) else {}
        self._left = set(self._given)
        if not isinstance(node.value, dict):
            self.wrong("", "应为一个表 (a table is expected)")

    def wrong(self, key: str, why: str) -> None:
        child = self._given.get(key)
        line = child.line if child is not None else self._node.line
        where = f"{self._path}{key}".removesuffix(".")
        place = f"{where}：" if where else ""
        self._mistakes.append(f"{f'第{line}行 ' if line else ''}{place}{why}")

    def has(self, key: str) -> bool:
        return key in self._given

    def text(self, key: str, *, most: int = 60, default: str = "") -> str:
        value = self._take(key, default or None)
        if not isinstance(value, str) or not value.strip():
            self.wrong(key, "应为非空文字 (non-empty text)")
            return "?"
        if len(value) > most:
            self.wrong(key, f"最多 {most} 个字 (at most {most} characters)")
        return value.strip()

    def key(self, default: str = "") -> str:
        """The name by which everything else refers to it."""
        value = self.text("key", default=default)
        if value != "?" and not _KEY.fullmatch(value):
            self.wrong("key", f"「{value}」应为小写字母开头，只含小写字母、数字和 _，最多 30 位")
        return value

    def texts(self, key: str, *, most: int = MOST_WORDS) -> tuple[str, ...]:
        value = self._take(key, [])
        items = [item.value for item in value] if isinstance(value, list) else [None]
        texts = tuple(item for item in items if isinstance(item, str) and item.strip())
        if len(texts) != len(items) or len(texts) > most or any(len(one) > 60 for one in texts):
            self.wrong(key, f"应为文字列表，最多 {most} 项 (a list of texts)")
            return ()
        return texts

    def flag(self, key: str, default: bool) -> bool:
        value = self._take(key, default)
        if not isinstance(value, bool):
            self.wrong(key, "应为 true 或 false")
            return default
        return value

    def whole(self, key: str, default: int | None = None, *, least: int, most: int) -> int:
        value = self._take(key, default)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if isinstance(value, int) and whole and least <= value <= most:
            return value
        should_be = f"应为 {least} 到 {most} 的整数 (a whole number, at least {least})"
        self.wrong(key, f"不能是 0，{should_be}" if whole and value == 0 else should_be)
        return least

    def whole_if_given(self, key: str, *, least: int, most: int) -> int | None:
        return self.whole(key, least=least, most=most) if self.has(key) else None

    def choice(self, key: str, among: Sequence[Member], default: Member | None = None) -> Member:
        value = self._take(key, default)
        found = next((member for member in among if member == value), None)
        if found is None:
            self.wrong(key, f"应为其中之一 (one of)：{'、'.join(among)}")
            return among[0]
        return found

    def tables(self, key: str, *, most: int, least: int = 1) -> list[_Sheet]:
        value = self._take(key, [] if least == 0 else None)
        if not isinstance(value, list) or not least <= len(value) <= most:
            self.wrong(key, f"应为 {least} 到 {most} 项的列表 (a list with at least {least})")
            return []
        return [
            _Sheet(item, f"{self._path}{key}[{number}].", self._mistakes)
            for number, item in enumerate(value, 1)
        ]

    def table(self, key: str) -> _Sheet:
        self._left.discard(key)
        return _Sheet(self._given.get(key, Node({})), f"{self._path}{key}.", self._mistakes)

    def all_keys(self) -> list[str]:
        return list(self._given)

    def finish(self) -> None:
        """A key that nobody asked for is a typing error, and must not pass."""
        for key in self._given:
            if key in self._left:
                self.wrong(key, "没有这个键 (unknown key)")

    def refuse_twins(self, name: str, sheets: Sequence[_Sheet], keys: Sequence[str]) -> None:
        for index, (sheet, key) in enumerate(zip(sheets, keys, strict=True)):
            if key != "?" and key in keys[:index]:
                sheet.wrong("key", f"key 重复 (not unique)：{name} 里已有 {key}")

    def _take(self, key: str, default: object) -> object:
        self._left.discard(key)
        return self._given[key].value if key in self._given else default


def _library(sheet: _Sheet, name: str) -> ActionLibrary:
    stage_sheets = sheet.tables("stages", most=MOST_STAGES, least=2)
    unit_sheets = sheet.tables("units", most=MOST_UNITS)
    stages = [_stage(one, first=number == 0) for number, one in enumerate(stage_sheets)]
    library = ActionLibrary(
        key=sheet.key(default=name),
        label=sheet.text("label", most=20),
        stages=_in_order(stages, stage_sheets),
        units=tuple(_unit(one) for one in unit_sheets),
        refusals=_refusals(sheet.table("refusals")),
    )
    sheet.refuse_twins("stages", stage_sheets, [stage.key for stage in library.stages])
    sheet.refuse_twins("units", unit_sheets, [unit.key for unit in library.units])
    sheet.finish()
    return library


def _stage(sheet: _Sheet, *, first: bool) -> Stage:
    fields = _slots(sheet, "fields", least=0, known=[key for key in SLOTS if key != "files"])
    stage = Stage(
        key=sheet.key(),
        label=sheet.text("label", most=20),
        stuck_days=sheet.whole("stuck_days", least=1, most=LONGEST_STUCK_DAYS),
        fields=fields,
        next=sheet.texts("next", most=MOST_STAGES),
    )
    required = sum(one.required for one in fields)
    if not first and required < NEEDED_FIELDS:
        least = f"进入这个阶段至少要 {NEEDED_FIELDS} 个必填字段"
        sheet.wrong("fields", f"{least}，现在是 {required} 个")
    if stage.key in set(OpportunityState):
        sheet.wrong("key", f"{stage.key} 是系统保留的名字 (reserved)")
    sheet.finish()
    return stage


def _in_order(stages: Sequence[Stage], sheets: Sequence[_Sheet]) -> tuple[Stage, ...]:
    """A stage that does not name what follows is followed by the next of the list."""
    known = {stage.key for stage in stages}
    following = [stage.key for stage in stages[1:]] + [""] * bool(stages)
    ordered = []
    for stage, sheet, after in zip(stages, sheets, following, strict=True):
        follows = stage.next if sheet.has("next") else (after,) if after else ()
        for key in follows:
            if key not in known:
                sheet.wrong("next", f"没有这个阶段 (no such stage)：{key}")
        ordered.append(replace(stage, next=follows))
    try:
        graphlib.TopologicalSorter({stage.key: stage.next for stage in ordered}).prepare()
    except graphlib.CycleError as error:
        cycle = [str(key) for key in reversed(error.args[1])]
        guilty = [sheet for stage, sheet in zip(ordered, sheets, strict=True)
                  if stage.key in cycle and sheet.has("next")]  # fmt: skip
        (guilty or list(sheets))[-1].wrong("next", f"阶段成环 (a cycle)：{' → '.join(cycle)}")
    return tuple(ordered)


def _unit(sheet: _Sheet) -> ActionUnit:
    intent = sheet.choice("intent", _INTENTS)
    unit = ActionUnit(
        key=sheet.key(),
        label=sheet.text("label", most=12),
        intent=intent,
        slots=_slots(sheet, "slots", least=1, known=SLOTS),
        counts=sheet.flag("counts", True),
        min_duration_s=sheet.whole_if_given("min_duration_s", least=0, most=24 * 3600)
        if sheet.has("min_duration_s") or intent is Intent.LOG_CALL
        else 0,
        deadline_h=sheet.whole_if_given("deadline_h", least=1, most=LONGEST_DEADLINE_H),
        words=sheet.texts("words"),
        grade=sheet.choice("grade", _PROOFS, Grade.SELF_REPORTED),
    )
    if unit.key in set(Intent):
        sheet.wrong("key", f"{unit.key} 是系统保留的名字 (reserved)")
    if intent is Intent.BOOK_VISIT and unit.slot("next_contact") is None:
        sheet.wrong("slots", "面访预约要有 next_contact (a booking needs next_contact)")
    if unit.grade is Grade.FILE_ATTACHED and unit.slot("files") is None:
        sheet.wrong("grade", "E1 要有附件，slots 里缺 files (E1 needs files)")
    sheet.finish()
    return unit


def _slots(sheet: _Sheet, name: str, *, least: int, known: Collection[str]) -> tuple[SlotSpec, ...]:
    sheets = sheet.tables(name, most=MOST_SLOTS, least=least)
    slots = tuple(_slot(one, known) for one in sheets)
    sheet.refuse_twins(name, sheets, [slot.key for slot in slots])
    return slots


def _slot(sheet: _Sheet, known: Collection[str]) -> SlotSpec:
    kind = sheet.choice("kind", tuple(FieldKind)) if sheet.has("kind") else None
    slot = SlotSpec(
        key=sheet.key(),
        label=sheet.text("label", most=12),
        question=sheet.text("question", most=100),
        required=sheet.flag("required", True),
        file_kinds=sheet.texts("file_kinds"),
        kind=kind,
        options=sheet.texts("options", most=9),
    )
    if kind is None and slot.key not in known:
        hint = f"应为其中之一 (one of)：{'、'.join(known)}；自己的字段要写 kind"
        sheet.wrong("key", f"没有这个字段 {slot.key}，{hint}")
    if kind is not None and slot.key in (*SLOTS, *RESERVED_SLOTS):
        sheet.wrong("key", f"{slot.key} 是系统字段，不能另写 kind，请换个名字")
    if slot.file_kinds and slot.key != "files":
        sheet.wrong("file_kinds", '只用于 key = "files" (only for files)')
    if (kind is FieldKind.CHOICE) != (len(slot.options) > 1):
        sheet.wrong("options", "kind 为 choice 时要有 2 到 9 个选项，其他时候不要写")
    sheet.finish()
    return slot


def _refusals(sheet: _Sheet) -> tuple[tuple[str, tuple[str, ...]], ...]:
    codes = sheet.all_keys()
    for code in codes:
        if code not in OBJECTIONS:
            sheet.wrong(code, f"没有这个异议 (one of)：{'、'.join(OBJECTIONS)}")
    return tuple((code, sheet.texts(code)) for code in codes)
