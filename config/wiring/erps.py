"""The ERPs: what is polled, checked and read of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.messages import Platform
from bot.ports import Accept, AppKey, EnvelopeReader
from bot.router import Job
from config.settings import Settings
from connectors.erp import catalogue
from connectors.erp import notices as erp_door
from connectors.erp.catalogue import Erps
from connectors.http import Http
from handlers.desk import Office
from handlers.erp.erp_feeds import ErpFeeds
from handlers.erp.erp_polling import ErpPolling
from handlers.erp.erp_reconciling import Reconciliation
from storage.unit_of_work import UnitOfWork


def erps_of(settings: Settings, http: Http, clock: Clock, zone: ZoneInfo) -> Erps:
    given = {name: erp.revealed() for name, erp in settings.erp.items()}
    return catalogue.connect(given, http, clock, zone)


def erp_jobs(office: Office, erps: Erps, *, accept: Accept, clock: Clock) -> list[Job[UnitOfWork]]:
    jobs = [ErpPolling(office, erps.receipts).job()]
    if erps.customers or erps.orders:
        feeds = ErpFeeds(office, erps.customers, erps.orders, accept=accept, clock=clock)
        jobs.append(feeds.job())
    if erps.forecasts:
        jobs.append(Reconciliation(office, erps.forecasts).job())
    return [office.policies.followed(job) for job in jobs]


def erp_checks(erps: Erps, at: datetime) -> dict[str, Callable[[], Awaitable[object]]]:
    """For the doctor: a little of all that is asked for, whose keys are then found right."""
    checks: dict[str, Callable[[], Awaitable[object]]] = {
        erp.name: erp.check for erp in erps.receipts
    }
    checks |= {f"{erp.name} 客户": partial(erp.customers, at) for erp in erps.customers}
    checks |= {f"{erp.name} 订单": partial(erp.orders, at) for erp in erps.orders}
    return checks | {f"{erp.name} 预测": erp.held for erp in erps.forecasts}


def erp_readers(settings: Settings) -> dict[AppKey, EnvelopeReader]:
    return {(Platform.ERP.value, name): erp_door.NoticeReader(name) for name in settings.erp}
