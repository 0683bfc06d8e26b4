"""The bills of an emulated Kingdee: forms, their fields, and the states a bill goes through.

Z draft, A new, B handed in, C audited, D opened again. A bill in B or C takes no change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

CHINA = timezone(timedelta(hours=8))

_SINCE = re.compile(r"(?P<key>\w+)>='(?P<moment>[\d :-]+)'")
_EQUALS = re.compile(r"(?P<key>\w+)='(?P<value>(?:[^']|'')*)'")
_LIKE = re.compile(r"(?P<key>\w+) like '(?P<begin>[^'%]*)%'")
_MOVES = {
    "Submit": ({"A", "D"}, "B", "只有创建或重新审核状态的单据才能提交"),
    "Audit": ({"B"}, "C", "只有审核中的单据才能审核"),
    "UnAudit": ({"C"}, "D", "只有已审核的单据才能反审核"),
    "CancelAssign": ({"B"}, "D", "只有审核中的单据才能撤销"),
}

NOT_THERE, FAILED_CHECK = 9, 11
"""MsgCode of an unknown field or value, and of what the form's checks refuse."""

Row = dict[str, Any]


class Refusal(Exception):
    """What Kingdee says instead. code: its MsgCode."""

    def __init__(self, message: str, code: int = FAILED_CHECK, *, name: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.name = name


@dataclass(slots=True)
class Form:
    """One form with its rows. keys: every key that a query may name. writable: keys that Save
    takes; a reference is named without its `.FNumber`, and `references` says of which form it
    is. required: of a new bill."""

    name: str
    id: str
    number: str
    keys: frozenset[str]
    writable: frozenset[str] = frozenset()
    references: Mapping[str, str] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    rows: list[Row] = field(default_factory=list)

    def row(self, value: str) -> Row | None:
        """By its number."""
        return next((row for row in self.rows if row[self.number] == value), None)


class Books:
    """All forms of the emulated account."""

    def __init__(self, forms: Sequence[Form], now: Callable[[], datetime]) -> None:
        self.forms = {form.name: form for form in forms}
        self._now = now
        self._next = 100_000

    def query(self, asked: Mapping[str, Any]) -> list[list[Any]]:
        """ExecuteBillQuery. Raises Refusal."""
        form = self._form(asked["FormId"])
        keys = str(asked["FieldKeys"]).split(",")
        unknown = set(keys) - form.keys
        if unknown:
            raise Refusal(f"字段不存在：{min(unknown)}", NOT_THERE)
        fits = _filter(form, str(asked["FilterString"]))
        order = [key for key in str(asked.get("OrderString") or "").split(",") if key]
        found = sorted(filter(fits, form.rows), key=lambda row: [row[key] for key in order])
        start, limit = int(asked["StartRow"]), min(int(asked["Limit"]), 10_000)
        return [[_shown(row[key]) for key in keys] for row in found[start : start + limit]]

    def save(self, form_id: str, data: Mapping[str, Any]) -> Row:
        """Raises Refusal."""
        form = self._form(form_id)
        model = dict(data["Model"])
        inner = int(model.pop(form.id, 0) or 0)
        only = set(data.get("NeedUpDateFields") or ())
        unknown = (set(model) | only) - form.writable
        if unknown:
            raise Refusal(f"字段不存在：{min(unknown)}", NOT_THERE, name=min(unknown))
        strict = str(data.get("IsVerifyBaseDataField")).lower() == "true"
        if inner:
            row = self._row(form, inner)
            if row["FDocumentStatus"] not in ("Z", "A", "D"):
                raise Refusal("单据已提交或已审核，不允许修改")
            named = {key: value for key, value in model.items() if not only or key in only}
            row |= self._values(form, named, strict=strict)
        else:
            lacking = sorted(form.required - set(model))
            if lacking:
                raise Refusal(f"字段“{lacking[0]}”是必填项", name=lacking[0])
            values = self._values(form, model, strict=strict)
            row = self.add(form_id, FDocumentStatus="A", **values)
        row["FModifyDate"] = self._now()
        return row

    def operate(self, operation: str, form_id: str, data: Mapping[str, Any]) -> Row:
        """Submit, Audit, UnAudit, CancelAssign. Raises Refusal."""
        form = self._form(form_id)
        ids = [part for part in str(data.get("Ids") or "").split(",") if part]
        numbers = list(data.get("Numbers") or ())
        if len(ids) + len(numbers) != 1:
            raise Refusal("内码和编码不能同时为空", 8)
        row = self._row(form, int(ids[0])) if ids else form.row(numbers[0])
        if row is None:
            raise Refusal("未找到对应数据", 10)
        before, after, told = _MOVES[operation]
        if row["FDocumentStatus"] not in before:
            raise Refusal(told)
        row["FDocumentStatus"] = after
        row["FModifyDate"] = self._now()
        return row

    def add(self, form_id: str, **values: Any) -> Row:
        """A row as somebody at the ERP enters it; what is not said is empty."""
        form = self._form(form_id)
        self._next += 1
        row: Row = dict.fromkeys(form.keys, "")
        row |= {"FModifyDate": self._now(), form.id: self._next}
        if form.number not in values:
            row[form.number] = f"{form.name[:2].upper()}{self._next}"
        row |= values
        form.rows.append(row)
        return row

    def change(self, form_id: str, number: str, **values: Any) -> None:
        """As somebody at the ERP does, lines of one bill together."""
        form = self._form(form_id)
        for row in form.rows:
            if row[form.number] == number:
                row |= {**values, "FModifyDate": self._now()}

    def remove(self, form_id: str, number: str) -> None:
        form = self._form(form_id)
        form.rows = [row for row in form.rows if row[form.number] != number]

    def _values(self, form: Form, model: Mapping[str, Any], *, strict: bool) -> Row:
        values: Row = {}
        for key, value in model.items():
            target = form.references.get(key)
            if target is None:
                values[key] = value
                continue
            if not isinstance(value, Mapping):
                raise Refusal(f"字段“{key}”应为基础资料", 8, name=key)
            number = str(value.get("FNumber", ""))
            found = self.forms[target].row(number) if target in self.forms else {}
            usable = found is not None and found.get("FDocumentStatus", "C") == "C"
            if strict and not usable:
                raise Refusal(f"基础资料“{key}”中编码“{number}”不存在", NOT_THERE, name=key)
            values[f"{key}.FNumber"] = number if usable else ""
        return values

    def _form(self, name: str) -> Form:
        if name not in self.forms:
            raise Refusal("业务对象不存在", NOT_THERE)
        return self.forms[name]

    @staticmethod
    def _row(form: Form, inner: int) -> Row:
        row = next((row for row in form.rows if row[form.id] == inner), None)
        if row is None:
            raise Refusal("未找到对应数据", 10)
        return row


def _filter(form: Form, text: str) -> Callable[[Row], bool]:
    since, equals, like = (one.fullmatch(text) for one in (_SINCE, _EQUALS, _LIKE))
    match = since or equals or like
    if match is None or match["key"] not in form.keys:
        raise Refusal("过滤条件不正确", 8)
    key = match["key"]
    if since:
        moment = datetime.fromisoformat(since["moment"]).replace(tzinfo=CHINA)
        return lambda row: row[key] >= moment
    if equals:
        value = equals["value"].replace("''", "'")
        return lambda row: row[key] == value
    begin = match["begin"]
    return lambda row: str(row[key]).startswith(begin)


def _shown(value: Any) -> Any:
    """Days come with a midnight, moments in China's time."""
    if isinstance(value, datetime):
        return value.astimezone(CHINA).strftime("%Y-%m-%dT%H:%M:%S")
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return f"{value}T00:00:00"
    return value
