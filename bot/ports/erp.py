"""What an ERP may be able to do for us; few can do all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.erp import ErpAnswer, ErpCustomer, ErpOrder
from bot.domain.erp_forecasts import ForecastFacts
from bot.domain.receivables import Receipt as ErpReceipt
from bot.messages import ForecastLine, Receipt

CONFLICT = "conflict"
"""How a refusal begins that says what stands in the ERP instead of ours."""


class Erp(Protocol):
    """An ERP that can be asked for its receipts."""

    @property
    def name(self) -> str: ...

    async def receipts(self, since: datetime) -> Sequence[ErpReceipt]:
        """Every line that was entered or changed since then; reversals negative.
        Raises BotError."""
        ...


class ErpCustomers(Protocol):
    """An ERP that can be asked for its customers."""

    @property
    def name(self) -> str: ...

    async def customers(self, since: datetime) -> ErpAnswer[ErpCustomer]:
        """Every customer that was entered or changed since then. Raises BotError."""
        ...


class ErpOrders(Protocol):
    """An ERP that can be asked for its sales orders."""

    @property
    def name(self) -> str: ...

    async def orders(self, since: datetime) -> ErpAnswer[ErpOrder]:
        """Every order that was entered or changed since then. Raises BotError."""
        ...


class ErpForecasts(Protocol):
    """An ERP that keeps forecast lines for us."""

    @property
    def name(self) -> str: ...

    async def write(self, line: ForecastLine) -> Receipt:
        """Make it stand there once as `line` says, read it back, and answer with the ERP's
        number of it. However often it is written, there is one. Raises TransientError or
        PermanentError: Rejected, with CONFLICT in front, for what somebody changed there."""
        ...

    async def held(self) -> Mapping[str, ForecastFacts]:
        """key -> every line of ours, as the ERP has it now. Raises BotError."""
        ...

    def kept(self, facts: ForecastFacts) -> ForecastFacts:
        """As this ERP can hold them: emptied where it has no field. Pure."""
        ...
