"""Forecast lines as an entity of Yonyou U9C, one row a line.

Which operations make and change one differs with the entity, so their paths are settings, as
`ForecastOrder/Create`. A reference is an object with its code, `Customer.Code`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.erp_forecasts import KEY_PREFIX, ForecastFacts
from connectors.erp.forecast_fields import ForecastFields, nested
from connectors.erp.forecasts import Entry
from connectors.erp.u9c_api import Condition, U9cApi, at_path


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastEntity(ForecastFields):
    """The entity, the paths of its fields, and the operations. submit: the path of the operation
    that hands a row in, "" for none; open_status: the value under `status` of one that is not
    handed in. reopen: what opens it again before a change, "" where a change may be made at
    once."""

    entity: str
    create: str
    modify: str
    submit: str
    reopen: str
    open_status: str
    equals_operator: str
    like_operator: str
    first_page: int


class U9cForecasts:
    """Lines of forecast in U9C; a `connectors.erp.forecasts.Ledger`."""

    def __init__(self, api: U9cApi, entity: ForecastEntity) -> None:
        self._api = api
        self._entity = entity

    @property
    def name(self) -> str:
        return self._api.account.name

    @property
    def keeps(self) -> frozenset[str]:
        return self._entity.keeps

    async def find(self, key: str) -> Sequence[Entry]:
        return await self._read(Condition(self._entity.key, self._entity.equals_operator, key))

    async def all(self) -> Sequence[Entry]:
        begins = Condition(self._entity.key, self._entity.like_operator, f"{KEY_PREFIX}%")
        found = await self._read(begins)
        return [entry for entry in found if entry.key.startswith(KEY_PREFIX)]

    async def create(self, key: str, facts: ForecastFacts) -> None:
        entity = self._entity
        told = {**dict(entity.fixed), entity.key: key, **entity.told(facts)}
        await self._api.operate(entity.create, nested(told))

    async def change(self, entry: Entry, facts: ForecastFacts) -> None:
        entity = self._entity
        if entity.reopen and entry.status != entity.open_status:
            await self._api.operate(entity.reopen, nested({entity.number: entry.number}))
        told = {entity.number: entry.number, entity.key: entry.key, **entity.told(facts)}
        await self._api.operate(entity.modify, nested(told))

    async def settle(self, entry: Entry) -> None:
        entity = self._entity
        if entity.submit and entry.status == entity.open_status:
            await self._api.operate(entity.submit, nested({entity.number: entry.number}))

    async def _read(self, filtered: Condition) -> list[Entry]:
        entity = self._entity
        rows = await self._api.query(
            entity.entity, entity.names, filtered, first_page=entity.first_page
        )
        return [self._entry(row) for row in rows]

    def _entry(self, row: Mapping[str, Any]) -> Entry:
        entity = self._entity
        return entity.entry(lambda path: at_path(row, path), where=f"u9c:{entity.entity}")
