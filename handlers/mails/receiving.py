"""A mail's head came in: into the stream of the customer whose it is, or onto the list of those
that are nobody's. Nobody is answered but who forwarded by hand what cannot be filed."""

from __future__ import annotations

from bot.domain.activities import Activity, Grade
from bot.domain.mails import FORWARDED, IN, Mail, WholeMail, thread_of
from bot.domain.notifying import first_allowed
from bot.domain.signals import REPLY, Arrived
from bot.messages import OutboundMessage, Text
from handlers.desk import Desk
from handlers.levels import mail_evidence
from handlers.mails import matching
from handlers.signals.gathering import STREAM
from handlers.texts import mails as texts
from storage.mails import DROPPED, ENTERED, MailRow


async def receive(desk: Desk) -> None:
    """Doing it again adds nothing."""
    mail = desk.message.mail
    assert mail is not None
    row = await desk.tx.mails.note(mail, desk.at)
    if row.state in (ENTERED, DROPPED):
        return
    if mail.direction == FORWARDED:
        await _tell_forwarder(desk, mail, row)
        return
    if await _is_heard_otherwise(desk, mail, row):
        await desk.tx.mails.drop(row.id)
        return
    account_id = row.account_id
    if account_id is None:
        account_id = await matching.customer_of(desk.tx, mail)
    if account_id is None:
        return
    whole = desk.incoming.mail
    if whole is None:
        await desk.tx.mails.wait(row.id, account_id, tries=row.tries + 1)
        return
    await _enter(desk, mail, row, whole, account_id)


async def _tell_forwarder(desk: Desk, mail: Mail, row: MailRow) -> None:
    """Where nobody knows whose address it is, it stands on the list, with what is to be done."""
    platform, _, user_id = desk.office.mail_owners.get(mail.sender, "").partition(":")
    person = await desk.tx.people.find_by_identity(platform, user_id) if user_id else None
    to = desk.office.address_of(person) if person is not None else None
    if person is None or to is None:
        return
    morning = first_allowed(desk.at, policy=desk.policy.pushes, calendar=desk.office.calendar)
    text = Text(texts.cannot_file(mail.subject))
    key = f"mail-forwarded:{mail.key}:{person.id}"
    desk.add([OutboundMessage(key, to, text, not_before=morning)])
    await desk.tx.mails.drop(row.id)


async def _is_heard_otherwise(desk: Desk, mail: Mail, row: MailRow) -> bool:
    """Programs write heads anew when they attach a mail, so that only its id is the same."""
    if mail.carrier is None or not mail.message_id or row.account_id is not None:
        return False
    return bool(await desk.tx.mails.customers_in_thread([thread_of(mail.message_id)]))


async def _enter(desk: Desk, mail: Mail, row: MailRow, whole: WholeMail, account_id: int) -> None:
    """Once, however many mailboxes hold a copy."""
    account = await desk.tx.accounts.get(account_id)
    hashes = await _record_files(desk, account.id)
    entry = Activity(
        id=0,
        account_id=account.id,
        opportunity_id=None,
        actor_id=None,  # or a mail would bury what its writer recorded
        unit="",
        title=texts.title(mail.direction, automatic=mail.automatic),
        text=texts.entry(
            mail.sender_name,
            mail.sender,
            mail.outsiders if mail.direction != IN else (),
            subject=whole.subject or mail.subject,
            words=whole.text,
            remarks=_remarks(desk, mail, whole),
        ),
        occurred_at=row.sent_at,
        recorded_at=desk.at,
        source_id=f"mail:{mail.key}",
        slots={"mail": row.id, "direction": mail.direction},
        file_hashes=hashes,
        # Who forwards a mail could have edited it.
        grade=Grade.SELF_REPORTED if mail.carrier else Grade.PLATFORM_PROVEN,
    )
    added = await desk.tx.activities.add(entry)
    await desk.tx.mails.enter(row.id, account.id)
    if added is None or mail.direction != IN or mail.automatic:
        return
    if mail.is_reply and mail.carrier is None:
        await desk.tx.signals.arrive([_as_reply(added, desk)])
    for paper in desk.incoming.evidence:
        await mail_evidence.offer(desk, account, paper)


def _as_reply(entry: Activity, desk: Desk) -> Arrived:
    return Arrived(
        STREAM, f"mail-{entry.id}", STREAM, REPLY, entry.occurred_at, desk.at,
        account_id=entry.account_id,
    )  # fmt: skip


async def _record_files(desk: Desk, account_id: int) -> tuple[str, ...]:
    kept = [file.stored for file in desk.incoming.files if file.stored is not None]
    for stored in kept:
        await desk.tx.files.record(stored, desk.at)
        await desk.tx.files.use(stored.sha256, account_id, desk.at)
    return tuple(dict.fromkeys(stored.sha256 for stored in kept))


def _remarks(desk: Desk, mail: Mail, whole: WholeMail) -> list[str]:
    """What is to be known of it besides its words."""
    said = [texts.forwarded_by(mail.carrier)] if mail.carrier else []
    said += [whole.trouble] if whole.trouble else []
    said += [file.lost for file in desk.incoming.files if file.lost]
    if whole.left_out:
        said.append(texts.left_out(whole.left_out))
    if whole.checks.dkim:
        said.append(texts.SIGNED)
    return said
