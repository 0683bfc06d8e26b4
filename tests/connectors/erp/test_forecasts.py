"""Forecast lines into both emulated ERPs: there once, as we want them, and never over theirs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Protocol

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from k3cloud_webapi_sdk.main import K3CloudApiSdk

from bot.domain.erp_forecasts import ForecastFacts
from bot.errors import AuthFailed, Rejected, Unavailable
from bot.messages import ForecastLine
from config.settings.erp import KingdeeForecastSettings, U9cForecastSettings
from connectors.erp.forecasts import ForecastWriter
from connectors.erp.kingdee_forecasts import ForecastForm, KingdeeForecasts
from connectors.erp.u9c_forecasts import ForecastEntity, U9cForecasts
from connectors.http import Http
from connectors.sandbox import kingdee, u9c
from connectors.sandbox.world import Fault, Hooks, World
from tests.connectors.erp import test_kingdee, test_u9c

NOW = datetime(2026, 1, 28, 7, 0, tzinfo=UTC)
FACTS = ForecastFacts("K001", 35_000_050, date(2026, 2, 4), "合同", "HT-2026-018", "伺服改造")
WITHDRAWN = replace(FACTS, amount_fen=0, withdrawn=True)


class Erp(Protocol):
    """One emulated ERP and how to write to it."""

    world: World
    saving: str

    def writer(self) -> ForecastWriter: ...

    def rows(self) -> list[dict[str, Any]]: ...

    def somebody_changes(self, **values: Any) -> None: ...

    def amount(self, row: dict[str, Any]) -> float: ...


@dataclass
class OnKingdee:
    bed: test_kingdee.Bed
    saving: str = "Save"

    @property
    def world(self) -> World:
        return self.bed.world

    def writer(self, **changes: Any) -> ForecastWriter:
        settings = KingdeeForecastSettings(
            **{
                "form": kingdee.FORECASTS, "key": "F_GD_KEY", "customer": "F_GD_CUST",
                "amount": "F_GD_AMOUNT", "expected_on": "F_GD_DATE", "level": "F_GD_LEVEL",
                "evidence": "F_GD_EVIDENCE", "opportunity": "F_GD_DEAL", "state": "F_GD_STATE",
                "fixed": {"F_GD_ORG.FNumber": "100"}, **changes,
            }
        )  # fmt: skip
        values = settings.revealed()
        form = ForecastForm(**{**values, "fixed": tuple(values["fixed"].items())})
        return ForecastWriter(KingdeeForecasts(self.bed.api(), form))

    def rows(self) -> list[dict[str, Any]]:
        return self.bed.erp.books.forms[kingdee.FORECASTS].rows

    def somebody_changes(self, **values: Any) -> None:
        self.rows()[0] |= {"F_GD_AMOUNT": values["amount"]}

    def amount(self, row: dict[str, Any]) -> float:
        return float(row["F_GD_AMOUNT"])


@dataclass
class OnU9c:
    bed: test_u9c.Bed
    saving: str = "SaleForecast/Create"

    @property
    def world(self) -> World:
        return self.bed.world

    def writer(self, **changes: Any) -> ForecastWriter:
        settings = U9cForecastSettings(
            **{
                "entity": u9c.FORECASTS, "create": "SaleForecast/Create",
                "modify": "SaleForecast/Modify", "submit": "SaleForecast/Approve",
                "reopen": "SaleForecast/UnApprove",
                "number": "DocNo", "key": "GdKey", "customer": "Customer.Code",
                "amount": "Amount", "expected_on": "ExpectedOn", "level": "Level",
                "evidence": "Evidence", "opportunity": "Deal", "state": "LineState",
                "status": "Status", "open_status": "0", "fixed": {"Org.Code": "101"}, **changes,
            }
        )  # fmt: skip
        values = settings.revealed()
        entity = ForecastEntity(**{**values, "fixed": tuple(values["fixed"].items())})
        return ForecastWriter(U9cForecasts(self.bed.api(), entity))

    def rows(self) -> list[dict[str, Any]]:
        return self.bed.erp.forecasts

    def somebody_changes(self, **values: Any) -> None:
        self.rows()[0] |= {"Amount": values["amount"]}

    def amount(self, row: dict[str, Any]) -> float:
        return float(row["Amount"])


@pytest.fixture(params=["kingdee", "u9c"])
async def erp(request: pytest.FixtureRequest) -> AsyncIterator[Erp]:
    application = web.Application()
    async with aiohttp.ClientSession() as session:
        server, world = TestServer(application), World(Hooks(lambda: NOW))
        on: Erp
        if request.param == "kingdee":
            first = test_kingdee.Bed(server, Http(session))
            first.world, first.erp = world, kingdee.KingdeeEmulator(world)
            first.erp.know("K001", "恒锐机电")
            application.add_routes(first.erp.routes())
            on = OnKingdee(first)
        else:
            second = test_u9c.Bed(server, Http(session), world)
            second.erp = u9c.U9cEmulator(world)
            second.erp.entities[u9c.CUSTOMERS].append({"Code": "K001"})
            application.add_routes(second.erp.routes())
            on = OnU9c(second)
        await server.start_server()
        yield on
        await server.close()


def line(facts: ForecastFacts = FACTS, **changes: Any) -> ForecastLine:
    return ForecastLine("GD-C1", facts, **changes)


async def test_a_line_is_written_handed_in_and_read_back(erp: Erp) -> None:
    receipt = await erp.writer().write(line())
    [row] = erp.rows()
    assert receipt.handle == row.get("FBillNo", row.get("DocNo"))
    assert row.get("FDocumentStatus", row.get("Status")) in ("B", "2")
    assert await erp.writer().held() == {"GD-C1": FACTS}


async def test_however_often_it_is_written_it_stands_there_once(erp: Erp) -> None:
    writer = erp.writer()
    handles = {(await writer.write(line())).handle for _ in range(3)}
    await asyncio.gather(*(writer.write(line()) for _ in range(3)))
    assert len(handles) == len(erp.rows()) == 1


async def test_a_save_whose_answer_was_lost_is_found_and_not_repeated(erp: Erp) -> None:
    erp.world.faults.append(Fault("erp", erp.saving, status=502, after=True))
    with pytest.raises(Unavailable):
        await erp.writer().write(line())
    assert (await erp.writer().write(line())).handle
    [row] = erp.rows()
    assert row.get("FDocumentStatus", row.get("Status")) in ("B", "2")


async def test_who_waits_behind_a_failure_is_not_kept_for_another_time_limit(erp: Erp) -> None:
    api = "ExecuteBillQuery" if erp.saving == "Save" else "CommonEntity/Query"
    erp.world.faults.append(Fault("erp", api, status=503))
    writer = erp.writer()
    found = await asyncio.gather(
        *(writer.write(ForecastLine(f"GD-C{number}", FACTS)) for number in range(3)),
        return_exceptions=True,
    )
    assert all(isinstance(one, Unavailable) for one in found)
    assert erp.rows() == []
    assert (await writer.write(line())).handle


async def test_a_change_and_a_withdrawal_stand_on_the_same_line(erp: Erp) -> None:
    await erp.writer().write(line())
    more = replace(FACTS, amount_fen=40_000_000, expected_on=date(2026, 3, 1))
    await erp.writer().write(line(more, ours=(FACTS,), stood=True))
    assert await erp.writer().held() == {"GD-C1": more}
    await erp.writer().write(line(WITHDRAWN, ours=(more,), stood=True))
    [row] = erp.rows()
    assert erp.amount(row) == 0
    assert await erp.writer().held() == {"GD-C1": WITHDRAWN}


async def test_a_withdrawal_of_what_never_got_there_writes_nothing(erp: Erp) -> None:
    assert (await erp.writer().write(line(WITHDRAWN))).handle == ""
    assert erp.rows() == []


async def test_what_somebody_changed_there_is_not_written_over_unless_it_is_decided(
    erp: Erp,
) -> None:
    await erp.writer().write(line())
    erp.somebody_changes(amount="300000.00")
    more = line(replace(FACTS, amount_fen=40_000_000), ours=(FACTS,), stood=True)
    with pytest.raises(Rejected, match="conflict: amount_fen=30000000"):
        await erp.writer().write(more)
    assert erp.amount(erp.rows()[0]) == 300_000
    await erp.writer().write(replace(more, overwrite=True))
    assert erp.amount(erp.rows()[0]) == 400_000


async def test_a_line_that_somebody_removed_is_not_put_back(erp: Erp) -> None:
    await erp.writer().write(line())
    erp.rows().clear()
    more = line(replace(FACTS, amount_fen=1), ours=(FACTS,), stood=True)
    with pytest.raises(Rejected, match="conflict: removed"):
        await erp.writer().write(more)


async def test_what_the_erp_refuses_is_told_in_its_words(erp: Erp) -> None:
    with pytest.raises(Rejected, match="不存在"):
        await erp.writer().write(line(replace(FACTS, customer_code="K999")))
    assert erp.rows() == []


async def test_two_lines_of_one_key_are_refused_rather_than_chosen_from(erp: Erp) -> None:
    await erp.writer().write(line())
    erp.rows().append({**erp.rows()[0], "FBillNo": "YC9", "DocNo": "YC9"})
    with pytest.raises(Rejected, match="2 times"):
        await erp.writer().write(line())


async def test_a_form_without_a_field_makes_no_difference_of_it(erp: Erp) -> None:
    writer = erp.writer(level="", opportunity="")  # type: ignore[call-arg]
    await writer.write(line())
    assert await writer.held() == {"GD-C1": writer.kept(FACTS)}
    assert writer.kept(FACTS).level == ""


@pytest.mark.parametrize("erp", ["kingdee"], indirect=True)
@pytest.mark.parametrize("status", ["B", "C"])
async def test_kingdee_opens_a_bill_again_before_changing_it(erp: Erp, status: str) -> None:
    await erp.writer().write(line())
    erp.rows()[0]["FDocumentStatus"] = status
    await erp.writer().write(line(WITHDRAWN, ours=(FACTS,), stood=True))
    assert erp.rows()[0]["FDocumentStatus"] == "B"
    assert erp.rows()[0]["F_GD_STATE"] == "已撤回"


@pytest.mark.parametrize("erp", ["kingdee"], indirect=True)
async def test_a_rounding_erp_is_found_out_by_reading_back(erp: OnKingdee) -> None:
    save = erp.bed.erp.books.save

    def rounding(form: str, data: Any) -> dict[str, Any]:
        row = save(form, data)
        row["F_GD_AMOUNT"] = round(float(row["F_GD_AMOUNT"]))
        return row

    erp.bed.erp.books.save = rounding  # type: ignore[method-assign]
    with pytest.raises(Rejected, match="reads back as amount_fen=35000000"):
        await erp.writer().write(line())


@pytest.mark.parametrize("erp", ["kingdee"], indirect=True)
@pytest.mark.parametrize(
    ("code", "error"), [(13, Unavailable), (2, AuthFailed), (11, Rejected), (99, Rejected)]
)
async def test_what_a_code_of_kingdee_means_for_another_try(
    erp: OnKingdee, code: int, error: type[Exception]
) -> None:
    from connectors.sandbox.kingdee_bills import Refusal

    def refuse(form: str, data: Any) -> dict[str, Any]:
        raise Refusal("有人正在编辑", code)

    erp.bed.erp.books.save = refuse  # type: ignore[method-assign]
    with pytest.raises(error, match="有人正在编辑"):
        await erp.writer().write(line())


@pytest.mark.parametrize("erp", ["kingdee"], indirect=True)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_official_sdk_saves_and_hands_in_on_the_emulator_too(erp: OnKingdee) -> None:
    sdk = K3CloudApiSdk(erp.bed.base_url)
    account = (kingdee.ACCOUNT_ID, kingdee.USER, kingdee.APP_ID, kingdee.APP_SECRET)
    sdk.InitConfig(*account, erp.bed.base_url)
    model = {
        "FID": 0, "F_GD_KEY": "GD-C9", "F_GD_CUST": {"FNumber": "K001"}, "F_GD_AMOUNT": "1.00",
        "F_GD_DATE": "2026-03-01", "F_GD_STATE": "有效", "F_GD_ORG": {"FNumber": "100"},
    }  # fmt: skip
    saved = await asyncio.to_thread(sdk.Save, kingdee.FORECASTS, {"Model": model})
    told = json.loads(saved)["Result"]
    assert told["ResponseStatus"]["IsSuccess"] is True
    handed_in = await asyncio.to_thread(sdk.Submit, kingdee.FORECASTS, {"Ids": str(told["Id"])})
    assert json.loads(handed_in)["Result"]["ResponseStatus"]["IsSuccess"] is True
    again = await asyncio.to_thread(sdk.Submit, kingdee.FORECASTS, {"Ids": str(told["Id"])})
    status = json.loads(again)["Result"]["ResponseStatus"]
    assert (status["IsSuccess"], status["MsgCode"]) == (False, 11)
    assert set(await erp.writer().held()) == {"GD-C9"}


@pytest.mark.parametrize("erp", ["u9c"], indirect=True)
async def test_u9c_is_asked_with_a_fresh_token_when_the_old_one_ended(erp: OnU9c) -> None:
    await erp.writer().write(line())
    erp.bed.erp.expire()
    await erp.writer().write(line(WITHDRAWN, ours=(FACTS,), stood=True))
    assert await erp.writer().held() == {"GD-C1": WITHDRAWN}
