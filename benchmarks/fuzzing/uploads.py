"""Files and forms that people send, mails, and what an administrator writes by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from email import message_from_bytes
from functools import cache
from pathlib import Path

from benchmarks.fuzzing.mutating import JSON, MAIL, SAID, TABLE, TOML, YAML
from benchmarks.fuzzing.target import AT, ROOT, Target, files, on_disk, text, told
from bot.domain import tracks
from bot.domain.identifiers import one_credit_code, one_domain, one_phone
from bot.domain.mails import MailPlace, Ours
from bot.domain.policy import Policy
from bot.domain.policy_changes import SETTINGS
from bot.domain.sign_in import Errand, read_errand
from bot.domain.websites import MaterialLink, PageKinds, Website, read_ticket, ticket_of
from bot.errors import BotError, InvalidInput
from config.library import read_upload
from config.policy import (
    ConfigError,
    change_policy,
    load_calendar,
    load_policy,
    read_holiday_table,
)
from config.settings import load_settings, read_toml
from config.toml_text import NotUnderstood, with_table
from connectors.mail import attached, heads
from connectors.web.clients import own_address
from handlers.coaching import track_library
from handlers.customers import importing
from handlers.deals import conversions
from handlers.growth_fund import catalogue
from handlers.levels import mails
from handlers.machine_forecast import reading as outcomes
from handlers.mails import whole
from handlers.pages.admin import choosing, policies
from handlers.texts import policy as policy_texts
from storage.activities import _read_cursor

MAILED = (
    "From: =?utf-8?b?546L5oC7?= <wang@hengrui.example>\r\nTo: a@b.example, c@ours.example\r\n"
    "Subject: 预算\r\nDate: Mon, 2 Mar 2026 10:00:00 +0800\r\nMessage-ID: <1@hengrui.example>\r\n"
    "In-Reply-To: <0@ours.example>\r\nReferences: <a@ours.example> <0@ours.example>\r\n"
    "Authentication-Results: mx.example; dkim=pass header.d=hengrui.example; spf=pass\r\n"
    "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n"
    "--x\r\nContent-Type: text/plain; charset=gbk\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "zazS4g==\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>同意</p><blockquote>旧</blockquote>\r\n"
    "--x--\r\n"
)
FORWARDED = (
    "From: a@ours.example\r\nTo: b@ours.example\r\nSubject: Fwd: 报价\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\nContent-Type: text/plain\r\n\r\n"
    "见附\r\n"
    "--y\r\nContent-Type: message/rfc822\r\n\r\n" + MAILED + "\r\n--y\r\n"
    'Content-Type: application/octet-stream; name="=?utf-8?b?5oql5Lu3LmVtbA==?="\r\n'
    "Content-Disposition: attachment; filename*=utf-8''%E6%8A%A5.eml\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    "From: x@y.example=0D=0A=0D=0Ahi\r\n--y--\r\n"
)
CUSTOMERS = (
    "name,owner,industry,aliases,credit_code,phone,domain\n"
    "恒锐机电,陈静,机械,恒锐|HR,91330100MA2XXXXX0X,13800000000,hengrui.example\n"
)
CATALOGUE = "类别,名称,价格,备注\n培训,商务英语,1200元,每周二\n"
TRACKS = "编号,标题,开场,提问,证据,下一步\nM01,一,二,三,四,五\n"
OUTCOMES = (
    "id,team,product,list_price,created,stage,closed,value\n"
    "1,a,b,100,2026-01-01,won,2026-02-01,90\n"
)
PUBLIC = (
    "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n"
    "1C1I7A6R,Moses Frase,GTX Plus Basic,Cancity,Won,2016-10-20,2017-03-01,1054\n"
)
STATUSES = """{"initial":{"a":"lead"},"events":[{"id":"1","at":"2026-01-02T10:00:00+08:00",
"customer":"a","from":"lead","to":"opportunity","required_filled":3},{"id":2,"at":"2026-01-03T10:00:00+08:00",
"merge":["a","b"]}]}"""
HOLIDAYS = '{"year": 2027, "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}'
SETTINGS_FILE = """public_url = "https://gendan.example.com"
[storage]
url = "sqlite:///data/gendan.db"
[wecom.sales]
corp_id = "ww1"
agent_id = 1000002
secret = "s"
token = "t"
aes_key = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
"""
SITE = Website("shop", "s", ("https://www.example.com",))
LINK = MaterialLink(7, "shop", 1, "", "t", "https://www.example.com/a", 1, AT, AT)


def mail_head(data: bytes) -> None:
    """Kept as an envelope, which never fails, and read."""
    headers = list(message_from_bytes(data).raw_items())
    reader = heads.HeadReader("box", Ours(domains=frozenset({"ours.example"})))
    place = MailPlace(1, 2)
    kept = heads.to_envelope("box", place, len(data), headers, with_subject=True, at=AT)
    reader.parse(kept)


def mails_inside(data: bytes) -> None:
    attached.count(data)
    for inside in attached.attached(data):
        mail_head(inside.as_bytes())


def customers(data: bytes) -> None:
    for row in importing._rows(data):
        identifiers(row.get("phone", "").encode())
        identifiers(row.get("domain", "").encode())
        identifiers(row.get("credit_code", "").encode())


def identifiers(data: bytes) -> None:
    for read in (one_phone, one_domain, one_credit_code):
        read(text(data))


def talk_tracks(data: bytes) -> None:
    """A mistake is an answer, not an error."""
    said = track_library._decoded(data)
    if said is not None:
        track_library._read_csv(said)
        tracks.read_toml(said)
        tracks.read(track_library._lines(said))


def fund_catalogue(data: bytes) -> None:
    for row in catalogue._rows(data) or ():
        catalogue.read_item(*row)


def setting(data: bytes) -> None:
    """Typed in chat or on the page, and put into the policy."""
    said = text(data)
    for one in SETTINGS:
        value = policy_texts.read_value(one, said)
        if value is not None:
            change_policy(Policy(), {one.key: value})


def form_fields(data: bytes) -> None:
    for read in (choosing.day, choosing.number, policies._seen, _read_cursor):
        try:
            read(text(data))
        except InvalidInput:
            continue


def signed_texts(data: bytes) -> None:
    """A cookie of ours, a link's ticket, an address to be signed, a page's path."""
    said = text(data)
    read_errand(said)
    read_ticket(SITE, said)
    SITE.allows(said)
    own_address(said, "https://gendan.example.com")
    PageKinds({"price": ("/price*",)}).of(said)


def kept_settings(file: Path) -> None:
    """`gendan setup` changes a file that somebody wrote, once it could be read."""
    read_toml(file)
    with_table(file.read_text("utf-8"), ["wecom", "sales"], {"secret": "s"})


def _signed() -> list[bytes]:
    errand = Errand("secret", "/customers/5", AT + timedelta(minutes=5))
    texts = (errand.carried, ticket_of(SITE, LINK), "https://gendan.example.com/a?b=1#c")
    return [one.encode() for one in texts]


def _documented() -> list[bytes]:
    """The library that docs/libraries.md shows."""
    page = (ROOT / "docs" / "libraries.md").read_text("utf-8")
    return [page.partition("```yaml\n")[2].partition("```")[0].encode()]


_ANYTHING = (Exception,)  # whoever calls it is told so and takes whatever is raised
_calendar = cache(load_calendar)

TARGETS: Mapping[str, Target] = {
    "mail-head": Target(mail_head, told(MAILED, FORWARDED), form=MAIL, share=10),
    "mail-saved": Target(
        lambda raw: mails.read(raw, _calendar()), told(MAILED, FORWARDED), form=MAIL, share=4
    ),
    "mail-whole": Target(whole.read, told(MAILED, FORWARDED), _ANYTHING, form=MAIL, share=4),
    "mail-attached": Target(mails_inside, told(FORWARDED), _ANYTHING, form=MAIL, share=4),
    "library-toml": Target(
        lambda raw: read_upload("a.toml", raw),
        files("retail.toml", under=ROOT / "config" / "actions"),
        form=TOML,
        share=4,
    ),
    "library-yaml": Target(
        lambda raw: read_upload("a.yaml", raw), _documented, form=YAML, share=10
    ),
    "customers": Target(customers, told(CUSTOMERS), form=TABLE, share=30),
    "identifiers": Target(
        identifiers, told("91330100MA27XXXX0X 138-0000-0000 a.example.com"), form=SAID, share=10
    ),
    "talk-tracks": Target(
        talk_tracks,
        lambda: [
            *told(TRACKS, "编号：M01\n标题：一\n开场：二")(),
            (ROOT / "config" / "tracks" / "saas.toml").read_bytes()[:1500],
        ],
        (BotError, tracks.Unreadable),
        form=TABLE,
    ),
    "fund-catalogue": Target(fund_catalogue, told(CATALOGUE), form=TABLE),
    "outcomes": Target(
        on_disk(outcomes.read, "outcomes.csv"), told(OUTCOMES, PUBLIC), form=TABLE, share=10
    ),
    "conversions": Target(
        on_disk(conversions.run, "statuses.json"), told(STATUSES), form=JSON, share=10
    ),
    "holidays": Target(
        lambda raw: read_holiday_table(text(raw)), told(HOLIDAYS), (ConfigError,), form=JSON
    ),
    "policy": Target(
        on_disk(load_policy, "policy.toml"),
        files("policy.toml", under=ROOT / "config"),
        (ConfigError,),
        form=TOML,
        share=4,
    ),
    "setting": Target(
        setting, told("3 天", "09:00", "开", "4、24 小时", "0.8"), form=SAID, share=10
    ),
    "settings": Target(
        on_disk(load_settings, "gendan.toml"),
        told(SETTINGS_FILE),
        (ConfigError,),
        form=TOML,
        share=4,
    ),
    "settings-kept": Target(
        on_disk(kept_settings, "kept.toml"),
        told(SETTINGS_FILE),
        (ConfigError, NotUnderstood),
        form=TOML,
        share=10,
    ),
    "form-fields": Target(
        form_fields, told("2026-03-02", "#12", '["a"]', "2026-03-02T06:00:00+00:00~12"), form=SAID
    ),
    "signed": Target(signed_texts, _signed),
}
