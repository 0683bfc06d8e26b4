"""Our Kingdee connector and the official SDK, held against the same emulator."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from k3cloud_webapi_sdk.main import K3CloudApiSdk

from bot.clock import FixedClock
from bot.errors import AuthFailed, Rejected, Unavailable
from connectors.erp.kingdee import BillForm, Kingdee
from connectors.erp.kingdee_api import KingdeeAccount, KingdeeApi
from connectors.erp.kingdee_signature import Credentials
from connectors.http import Http
from connectors.sandbox import kingdee as emulated
from connectors.sandbox.world import Fault, Hooks, World

NOW = datetime(2026, 1, 28, 7, 0, tzinfo=UTC)
FORM = BillForm(
    form="AR_RECEIVEBILL",
    number="FBillNo",
    line="FRECEIVEBILLENTRY_FEntryID",
    contract="FSALEORDERNUMBER",
    amount="FRECTOTALAMOUNTFOR",
    currency="FCURRENCYID.FNumber",
    received_on="FDATE",
    payer="FCONTACTUNIT.FName",
    changed_at="FModifyDate",
    status="FDocumentStatus",
)
CREDENTIALS = Credentials(emulated.ACCOUNT_ID, emulated.USER, emulated.APP_ID, emulated.APP_SECRET)


@dataclass
class Bed:
    """now: the emulated ERP's time."""

    server: TestServer
    http: Http
    now: datetime = NOW
    world: World = field(init=False)
    erp: emulated.KingdeeEmulator = field(init=False)

    @property
    def base_url(self) -> str:
        return str(self.server.make_url("/sandbox/kingdee/k3cloud"))

    def api(self, **changes: Any) -> KingdeeApi:
        account = KingdeeAccount(
            name="main",
            base_url=self.base_url,
            credentials=CREDENTIALS,
            home_currency="PRE001",
            zone=ZoneInfo("Asia/Shanghai"),
        )
        return KingdeeApi(replace(account, **changes), self.http, FixedClock(NOW))

    def client(self, receipts: BillForm = FORM, **changes: Any) -> Kingdee:
        return Kingdee(self.api(**changes), receipts, None, FixedClock(NOW))


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    application = web.Application()
    async with aiohttp.ClientSession() as session:
        found = Bed(TestServer(application), Http(session))
        found.world = World(Hooks(lambda: found.now))
        found.erp = emulated.KingdeeEmulator(found.world)
        application.add_routes(found.erp.routes())
        await found.server.start_server()
        yield found
        await found.server.close()


async def test_receipts_come_in_fen_with_the_contract_they_pay(bed: Bed) -> None:
    bed.erp.book("HT-2026-018", "105000.50", payer="恒锐机电有限公司", number="SKD1")
    bed.erp.book("ht-2026-018", "-105000.5000000000", number="SKD2")
    bed.erp.book("", "12000", number="SKD3", currency="PRE007")
    one, reversal, foreign = await bed.client().receipts(NOW)
    assert (one.number, one.contract_number, one.amount_fen) == ("SKD1", "HT-2026-018", 10_500_050)
    assert (one.currency, one.received_on, one.payer) == (
        "CNY", date(2026, 1, 28), "恒锐机电有限公司",
    )  # fmt: skip
    assert (reversal.contract_number, reversal.amount_fen) == ("HT-2026-018", -10_500_050)
    assert foreign.currency == "PRE007"


async def test_only_what_changed_since_is_asked_for_with_an_hour_to_spare(bed: Bed) -> None:
    bed.erp.book("HT-1", "1", number="old")
    bed.now = NOW + timedelta(minutes=90)
    bed.erp.book("HT-1", "2", number="new")
    found = await bed.client().receipts(NOW + timedelta(minutes=95))
    assert [receipt.number for receipt in found] == ["new"]
    found = await bed.client().receipts(NOW + timedelta(minutes=55))
    assert [receipt.number for receipt in found] == ["new", "old"]


async def test_a_receipt_that_is_no_more_audited_counts_nothing(bed: Bed) -> None:
    bed.erp.book("HT-1", "105000", number="SKD1")
    bed.erp.unaudit("SKD1")
    [withdrawn] = await bed.client().receipts(NOW)
    assert (withdrawn.number, withdrawn.amount_fen) == ("SKD1", 0)


async def test_many_receipts_come_page_by_page(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.erp.kingdee_api.PAGE_ROWS", 3)
    for number in range(7):
        bed.erp.book("HT-1", "1", number=f"SKD{number}")
    found = await bed.client().receipts(NOW)
    assert [receipt.number for receipt in found] == [f"SKD{number}" for number in range(7)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"app_secret": "another"},
        {"account_id": "another"},
        {"app_id": emulated.APP_ID[:-2] + "x="},
    ],
)
async def test_wrong_credentials_are_said_to_be_wrong(bed: Bed, wrong: dict[str, str]) -> None:
    with pytest.raises(AuthFailed, match="ExecuteBillQuery"):
        await bed.client(credentials=replace(CREDENTIALS, **wrong)).check()


async def test_a_field_that_is_not_there_is_named_by_the_erp(bed: Bed) -> None:
    with pytest.raises(Rejected, match="字段不存在"):
        await bed.client(receipts=replace(FORM, contract="F_NOT_THERE")).receipts(NOW)


async def test_an_erp_that_is_away_is_unavailable(bed: Bed) -> None:
    bed.world.faults.append(Fault("erp", "ExecuteBillQuery", status=503))
    with pytest.raises(Unavailable):
        await bed.client().receipts(NOW)


async def test_an_amount_with_parts_of_a_fen_is_refused_and_named(bed: Bed) -> None:
    bed.erp.book("HT-1", "10.005", number="SKD9")
    with pytest.raises(Rejected, match=r"SKD9.*10\.005"):
        await bed.client().receipts(NOW)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_official_sdk_is_understood_by_the_emulator_too(bed: Bed) -> None:
    bed.erp.book("HT-2026-018", "105000", number="SKD1")
    sdk = K3CloudApiSdk(bed.base_url)
    sdk.InitConfig(
        emulated.ACCOUNT_ID, emulated.USER, emulated.APP_ID, emulated.APP_SECRET, bed.base_url
    )
    query = {
        "FormId": "AR_RECEIVEBILL",
        "FieldKeys": "FBillNo,FRECTOTALAMOUNTFOR",
        "FilterString": "FModifyDate>='2026-01-28 00:00:00'",
        "OrderString": "",
        "StartRow": 0,
        "Limit": 10,
    }
    answer = await asyncio.to_thread(sdk.ExecuteBillQuery, query)
    assert json.loads(answer) == [["SKD1", "105000"]]
    sdk.InitConfig(emulated.ACCOUNT_ID, emulated.USER, emulated.APP_ID, "another", bed.base_url)
    with pytest.raises(RuntimeError, match="签名"):
        await asyncio.to_thread(sdk.ExecuteBillQuery, query)
