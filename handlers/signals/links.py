"""«资料链接 白皮书 恒锐»: a link that says for whom it was made; «网站代码»: the snippet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.domain import markup
from bot.domain.opportunities import Account
from bot.domain.people import Role
from bot.domain.websites import MaterialLink, Website, ticket_of
from bot.errors import InvalidInput, NotAllowed, NotFound, Refused
from handlers.customers import customers
from handlers.desk import Desk
from handlers.texts import signals as texts


async def make(desk: Desk, words: str) -> None:
    """Raises UserError: what is wrong with the words, or whose customer it is."""
    office = desk.office
    if not office.sites:
        raise Refused(texts.NO_SITES)
    if not office.pages_url:
        raise Refused(texts.NO_ADDRESS)
    titles = [title for site in office.sites for title in site.materials]
    title, _, rest = words.strip().partition(" ")
    if not rest.strip():
        desk.say(texts.materials(titles))
        return
    site, url = _target(office.sites, title, titles)
    name, _, who = rest.strip().partition(" ")
    account = await customers.named(desk, name)
    if account is None:
        return
    await customers.refuse_foreign(desk, account)
    contact = await _contact(desk, account, who.strip())
    link = MaterialLink(
        id=0,
        site=site.name,
        account_id=account.id,
        contact=contact,
        title=title[:100] if title in titles else url.split("?")[0][-100:],
        url=url,
        person_id=desk.rep.id,
        created_at=desk.at,
        expires_at=desk.at + timedelta(days=office.policy.signals.link_days),
    )
    made = replace(link, id=await desk.tx.signals.add_link(link))
    address = f"{office.pages_url}/track/to/{site.name}/{ticket_of(site, made)}"
    until = made.expires_at.astimezone(office.zone)
    told = texts.link_made(link.title, account.name, contact, address, until)
    customers.tell_alone(desk, link.title, told, [address])


async def show_snippet(desk: Desk, _: str) -> None:
    """Raises NotAllowed for all but administrators."""
    if Role.ADMIN not in desk.rep.roles:
        raise NotAllowed(texts.ADMIN_ONLY)
    if not desk.office.sites:
        raise Refused(texts.NO_SITES)
    told, codes = [], list(map(markup.code, texts.CONSENTS))
    for site in desk.office.sites:
        script = markup.code(texts.script(desk.office.pages_url, site.browser_key))
        codes += [script, *site.origins]
        told.append(texts.snippet(site.name, site.origins, script))
    desk.say_privately("网站代码", "\n\n".join(told), codes)


def _target(sites: tuple[Website, ...], title: str, titles: list[str]) -> tuple[Website, str]:
    """Raises InvalidInput for an address that is not ours, NotFound for an unknown title."""
    if title.startswith(("http://", "https://")):
        for site in sites:
            if site.allows(title) and len(title) <= 1000:
                return site, title
        raise InvalidInput(texts.foreign_address([one for site in sites for one in site.origins]))
    for site in sites:
        if title in site.materials:
            return site, site.materials[title]
    raise NotFound(texts.no_such_material(title, titles))


async def _contact(desk: Desk, account: Account, who: str) -> str:
    """The one that was named, or the only one there is. Raises NotFound."""
    names = [one.name for one in await desk.tx.accounts.contacts(account.id)]
    if not who:
        return names[0] if len(names) == 1 else ""
    if who not in names:
        raise NotFound(texts.which_contact(names[:6]))
    return who
