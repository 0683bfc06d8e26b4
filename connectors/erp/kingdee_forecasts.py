"""Forecast lines on a form of Kingdee K/3 Cloud, one bill a line.

Save makes or changes a bill, Submit hands it in. A bill that was handed in or audited takes no
change before CancelAssign (撤销) or UnAudit has opened it again. Its state is one of Z draft,
A new, B handed in, C audited, D opened again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.erp_forecasts import KEY_PREFIX, ForecastFacts
from connectors.erp.forecast_fields import ForecastFields, nested
from connectors.erp.forecasts import Entry
from connectors.erp.kingdee_api import KingdeeApi

HANDED_IN, AUDITED = "B", "C"

_SAVING = {
    "NeedUpDateFields": [],
    "NeedReturnFields": [],
    "IsDeleteEntry": "false",
    "SubSystemId": "",
    "IsVerifyBaseDataField": "true",  # a customer that is not there is an error, not an empty field
    "IsEntryBatchFill": "true",
    "ValidateFlag": "true",
    "NumberSearch": "true",
    "InterationFlags": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastForm(ForecastFields):
    """The form, and under which keys it takes the facts. id: of the bill's inner number. A key
    `FOrgId.FNumber` is a reference by number, as is that of the customer. until: save, submit or
    audit, as far as a bill is taken."""

    form: str
    id: str
    until: str


class KingdeeForecasts:
    """Lines of forecast in Kingdee; a `connectors.erp.forecasts.Ledger`."""

    def __init__(self, api: KingdeeApi, form: ForecastForm) -> None:
        self._api = api
        self._form = form

    @property
    def name(self) -> str:
        return self._api.account.name

    @property
    def keeps(self) -> frozenset[str]:
        return self._form.keeps

    async def find(self, key: str) -> Sequence[Entry]:
        return await self._read(f"{self._form.key}='{_quoted(key)}'")

    async def all(self) -> Sequence[Entry]:
        return await self._read(f"{self._form.key} like '{KEY_PREFIX}%'")

    async def create(self, key: str, facts: ForecastFacts) -> None:
        form = self._form
        model = {form.id: 0, form.key: key, **dict(form.fixed), **self._told(facts)}
        await self._save(nested(model))

    async def change(self, entry: Entry, facts: ForecastFacts) -> None:
        form = self._form
        opening = {HANDED_IN: "CancelAssign", AUDITED: "UnAudit"}.get(entry.status)
        if opening is not None:
            await self._do(opening, entry)
        changed = nested(self._told(facts))
        await self._save({form.id: int(entry.id), **changed}, only=list(changed))

    async def settle(self, entry: Entry) -> None:
        form = self._form
        if form.until != "save" and entry.status not in (HANDED_IN, AUDITED):
            await self._do("Submit", entry)
        if form.until == "audit" and entry.status != AUDITED:
            await self._do("Audit", entry)

    async def _do(self, operation: str, entry: Entry) -> None:
        await self._api.operate(operation, self._form.form, {"Ids": entry.id})

    async def _save(self, model: Mapping[str, Any], *, only: Sequence[str] = ()) -> None:
        data = {**_SAVING, "NeedUpDateFields": list(only), "Model": dict(model)}
        await self._api.operate("Save", self._form.form, data)

    def _told(self, facts: ForecastFacts) -> dict[str, str]:
        """The customer is a reference, `FCustId.FNumber`."""
        told = self._form.told(facts)
        return {self._name(name): value for name, value in told.items()}

    async def _read(self, filtered: str) -> list[Entry]:
        form = self._form
        keys = [form.id, *map(self._name, form.names)]
        rows = await self._api.query(form.form, keys, filtered, order=form.id)
        return [self._entry(dict(zip(keys, row, strict=True))) for row in rows]

    def _entry(self, row: Mapping[str, Any]) -> Entry:
        form = self._form
        where = f"kingdee:{form.form}"
        return form.entry(lambda name: row[self._name(name)], where=where, id_name=form.id)

    def _name(self, name: str) -> str:
        return f"{name}.FNumber" if name == self._form.customer else name


def _quoted(text: str) -> str:
    return text.replace("'", "''")
