"""What handlers know of the company: its rules, its people's ways, its names."""

from __future__ import annotations

from bot.domain.supply import Station
from bot.domain.websites import Website
from bot.messages import Platform
from config.coaching import load_tracks
from config.library import read_upload
from config.policy import change_policy
from config.rules import Rules
from config.settings import Settings
from config.wiring.outside import Outside
from connectors import platforms
from handlers.contacts.contact_moving import moving_platforms
from handlers.customers.customer_book import CustomerBook
from handlers.desk import Office, address_book
from handlers.libraries.libraries import LibraryShelf
from handlers.lights.alerts import Alerts
from handlers.lights.heatmap import Painter
from handlers.policy.policies import PolicyBook
from handlers.understanding.reader import Reader


def office_of(settings: Settings, rules: Rules, outside: Outside) -> Office:
    """Whoever it is to wake is named once they are there."""
    shelf = LibraryShelf(rules.libraries, rules.policy.actions_library)
    policies = PolicyBook(rules.policy, change_policy)
    apps = platforms.applications(outside.clients)
    addresses = address_book({Platform(platform): app for platform, app in apps})
    return Office(
        policies=policies,
        libraries=shelf,
        read_library=read_upload,
        calendar=rules.calendar,
        reader=Reader(rules.calendar),
        customers=CustomerBook(),
        lights=Alerts(
            policies=policies,
            libraries=shelf,
            calendar=rules.calendar,
            address_of=addresses,
            draw=Painter().paint,
            files=outside.files,
        ),
        address_of=addresses,
        admins=frozenset(settings.admins),
        erps=tuple(settings.erp),
        order_erps=tuple(erp.name for erp in outside.erps.orders),
        forecast_erps=tuple(erp.name for erp in outside.erps.forecasts),
        platforms_with_contacts=moving_platforms(platforms.contact_sources(outside.clients)),
        tracks=load_tracks(),
        reads_papers=settings.ocr.engine != "none",
        pages_url=settings.public_url,
        sites=_sites(settings),
        supply_groups={
            Station.WAREHOUSE: settings.supply.warehouse,
            Station.PLANNING: settings.supply.planning,
        },
        mailboxes={name: one.owner for name, one in settings.mail.items()},
        mail_owners={
            address: one.owner
            for one in settings.mail.values()
            if one.owner
            for address in one.own_addresses
        },
    )


def _sites(settings: Settings) -> tuple[Website, ...]:
    return tuple(Website(name=name, **one.revealed()) for name, one in settings.site.items())
