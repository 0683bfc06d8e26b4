"""The facts of a forecast line under the names that one ERP has for them, both ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.erp_forecasts import FACTS, ForecastFacts
from bot.errors import Rejected
from connectors.erp.forecasts import Entry
from connectors.erp.lines import day, fen, yuan

TEXTS = ("level", "evidence", "opportunity")
"""What a form of an ERP may have no field for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastFields:
    """What each fact is called; "" for a text that the ERP has no field for. standing, withdrawn:
    what stands under `state` for either. status: of the document. fixed: what else a new line
    needs, as `(name, value)`."""

    number: str
    key: str
    customer: str
    amount: str
    expected_on: str
    level: str
    evidence: str
    opportunity: str
    state: str
    standing: str
    withdrawn: str
    status: str
    fixed: tuple[tuple[str, str], ...]

    @property
    def keeps(self) -> frozenset[str]:
        """The facts it has a field for."""
        return frozenset(FACTS) - {name for name in TEXTS if not getattr(self, name)}

    @property
    def names(self) -> list[str]:
        """All that is to be asked for."""
        names = (
            self.number, self.key, self.customer, self.amount, self.expected_on, self.level,
            self.evidence, self.opportunity, self.state, self.status,
        )  # fmt: skip
        return [name for name in names if name]

    def told(self, facts: ForecastFacts) -> dict[str, str]:
        """What is written of a forecast: name of the field there -> value."""
        texts = {getattr(self, name): str(getattr(facts, name)) for name in TEXTS}
        return {
            self.customer: facts.customer_code,
            self.amount: yuan(facts.amount_fen),
            self.expected_on: facts.expected_on.isoformat(),
            self.state: self.withdrawn if facts.withdrawn else self.standing,
            **{name: text for name, text in texts.items() if name},
        }

    def entry(
        self, value_of: Callable[[str], object], *, where: str, id_name: str | None = None
    ) -> Entry:
        """A line as it was read. value_of: by name. id_name: of the ERP's own number, where that
        is not `number`. Raises Rejected, which tells `where`, for what cannot be a line."""

        def text(name: str) -> str:
            return str(value_of(name) or "") if name else ""

        number = text(self.number)
        try:
            facts = ForecastFacts(
                customer_code=text(self.customer),
                amount_fen=fen(value_of(self.amount)),
                expected_on=day(value_of(self.expected_on)),
                level=text(self.level),
                evidence=text(self.evidence),
                opportunity=text(self.opportunity),
                withdrawn=text(self.state) == self.withdrawn,
            )
        except ValueError as error:
            raise Rejected(f"{where}: {number}: {error}") from None
        return Entry(text(id_name or self.number), number, text(self.key), facts, text(self.status))


def nested(told: Mapping[str, object]) -> dict[str, Any]:
    """Customer.Code = K1 -> {"Customer": {"Code": "K1"}}."""
    row: dict[str, Any] = {}
    for path, value in told.items():
        *outer, last = path.split(".")
        place = row
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = value
    return row
