"""One DingTalk application as the engine sees it: bot.ports.ChatConnector."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime

from bot.clock import Clock
from bot.domain.leaves import Leave
from bot.domain.people import Directory
from bot.domain.reading import Readers
from bot.errors import PermanentError, RateLimited, Rejected
from bot.messages import (
    Address,
    Attachment,
    Card,
    CardUpdate,
    Content,
    Envelope,
    FileContent,
    InboundMessage,
    Markdown,
    Platform,
    Receipt,
    Text,
)
from bot.ports import CallCounter, FileStore, TokenStore
from connectors.dingtalk import attendance, directory, seen
from connectors.dingtalk.api import Api
from connectors.dingtalk.approvals import Instances, zone_of
from connectors.dingtalk.cards import Cards
from connectors.dingtalk.contacts import Contacts
from connectors.dingtalk.errors import (
    CARD_GONE,
    NO_GROUP_ROBOT,
    SESSION_OVER,
    DingtalkRejected,
    QuotaUsedUp,
)
from connectors.dingtalk.events import failed_envelope
from connectors.dingtalk.files import Files
from connectors.dingtalk.parse import is_outsider, parse_envelope
from connectors.dingtalk.quota import QuotaState
from connectors.dingtalk.read import Body, read_object, rows, text
from connectors.dingtalk.records import Attendance, SignIns
from connectors.dingtalk.render import RobotMessage, as_markdown, robot_message, split
from connectors.dingtalk.sessions import Sessions
from connectors.dingtalk.settings import DingtalkApp
from connectors.dingtalk.stream.gateway import Gateway
from connectors.dingtalk.webview import Webview
from connectors.http import Http
from connectors.limits import Window

_GROUP_PER_MINUTE = 20  # our own limit: the platform's is not documented (notes 3.5)
_WEBHOOK_PER_MINUTE = 18  # beyond 20 the robot is blocked for ten minutes (notes 3.3)
_FLOW_CONTROLLED_S = 60.0

log = logging.getLogger(__name__)


class DingtalkClient:
    """Sends, downloads and reads for one application.

    Every call raises as `Api` says. Messages have no idempotency key on this platform: one
    that timed out and is sent again may be seen twice. Cards and group robots have one.
    """

    def __init__(
        self,
        app: DingtalkApp,
        http: Http,
        *,
        tokens: TokenStore,
        files: FileStore,
        counter: CallCounter,
        clock: Clock,
    ) -> None:
        self._app = app
        self._clock = clock
        self._api = Api(app, http, tokens, counter, clock)
        self._cards = Cards(app, self._api)
        self._files = Files(app, self._api, http, files)
        self._sessions = Sessions(app, clock)
        self._gateway = Gateway(app, http)
        self.approvals = (
            Instances(app.name, app.approvals, self._api, clock, zone=zone_of(app.approval_times))
            if app.approvals
            else None
        )
        self.records: tuple[Attendance | SignIns, ...] = ()
        if app.checkins:
            self.records = (
                Attendance(app.name, self._api, clock), SignIns(app.name, self._api, clock),
            )  # fmt: skip
        self.contacts = Contacts(app.name, self._api) if app.contacts else None
        self.webview = Webview(app, self._api, tokens, clock) if app.pages else None
        self._group_pace = Window(_GROUP_PER_MINUTE, 60, clock)
        self._webhook_pace = Window(_WEBHOOK_PER_MINUTE, 60, clock)

    @property
    def platform(self) -> str:
        return Platform.DINGTALK

    @property
    def app(self) -> str:
        return self._app.name

    async def register_card_callback(self, url: str) -> None:
        """Presses on cards shall arrive at `url`, the public address of the cards door.

        Until it was called once, cards go out as plain messages; when it fails, the next
        card tries again.
        """
        await self._cards.register(url)

    @property
    def refusal(self) -> str:
        """Why the platform gives us no token; "" while there is nothing to complain of."""
        return self._api.refusal

    async def introduce(self, public_url: str) -> None:
        """What the platform is to know of us: where presses on cards go, unless they come over
        Stream. Without an address or a template, cards go out as plain messages."""
        if public_url and self._app.card_template_id and not self._app.is_streamed:
            await self.register_card_callback(f"{public_url}/dingtalk/{self.app}/cards")

    async def quota(self) -> QuotaState:
        """How much of the month's paid calls is used; what follows from it is in quota.py."""
        return await self._api.quota.state()

    @property
    def spares_digests(self) -> bool:
        """Whether the month's calls are so short that only answers and single pushes go out."""
        return self._api.quota.is_sparing

    def parse(self, envelope: Envelope) -> InboundMessage:
        """Read an envelope. Raises InvalidInput. Remembers the way back that lies in it."""
        message = parse_envelope(envelope)
        if envelope.door == "robot":
            self._sessions.note(message.origin, read_object(envelope.body) or {})
        return message

    def split(self, content: Content) -> Sequence[Content]:
        """The content in parts that DingTalk takes whole."""
        return split(content, with_cards=self._cards.are_ready)

    async def send(self, to: Address, content: Content, *, dedupe_key: str) -> Receipt:
        """Send one part to a person, a group, or through a group robot."""
        if to.webhook is not None:
            return await self._send_by_webhook(to.webhook, content, dedupe_key)
        match content:
            case Text() | Markdown():
                return await self._say(to, content, dedupe_key)
            case Card():
                return await self._show(to, content, dedupe_key)
            case CardUpdate():
                return await self._redraw(to, content, dedupe_key)
            case FileContent():
                return await self._post(to, await self._files.message_of(content))

    async def download(self, attachment: Attachment) -> tuple[bytes, str]:
        """Bytes and file name. Raises Rejected when it is gone or too large."""
        return await self._files.download(attachment)

    async def read_directory(self) -> Directory:
        """Everybody in the application's visible range."""
        return await directory.read_directory(self._api)

    async def read_users(self, user_ids: Sequence[str]) -> Directory:
        """Only these; the ones that are gone in `left_user_ids`."""
        return await directory.read_users(self._api, user_ids)

    @property
    def reads_leaves(self) -> bool:
        return self._app.leaves

    async def read_leaves(self, user_ids: Sequence[str], *, at: datetime) -> list[Leave] | None:
        """None where attendance is not ours to read, or while calls are to be saved."""
        if not self._app.leaves or await self._api.quota.is_saving():
            return None
        return await attendance.read_leaves(self._api, user_ids, at=at)

    async def readers(self, to: Address, handle: str) -> Readers:
        """Who has read a message, within a day. A paid call; of a group one for 200 readers."""
        return await seen.readers(self._api, self._app.robot_code, to, handle)

    async def recall(self, to: Address, handle: str) -> None:
        """Take a message back, within a day. A paid call. Raises Rejected when it is too late."""
        await seen.recall(self._api, self._app.robot_code, to, handle)

    @property
    def makes_groups(self) -> bool:
        return bool(self._app.group_template_id)

    async def make_group(self, title: str, *, owner: str, members: Sequence[str], key: str) -> str:
        """A group by our template, in which the robot is; its openConversationId. key: the same
        one makes no second group. Paid for by the month."""
        answer = await self._api.new(
            "POST",
            "v1.0/im/sceneGroup/create",
            {
                "title": title,
                "template_id": self._app.group_template_id,
                "owner_user_id": owner,
                "user_ids": list(members),
                "uuid": hashlib.sha256(key.encode()).hexdigest()[:32],
            },
        )
        return text(answer, "open_conversation_id")

    async def read_failed_events(self) -> Sequence[Envelope]:
        """Events that never reached our door, at most 200; none where we take no events, or
        while calls are to be saved.

        What a call has told is gone with the next call, so it must be stored before.
        """
        if not self._app.takes_events or await self._api.quota.is_saving():
            return ()
        told = rows(await self._api.failed_events(), "failed_list")
        entries = [entry for entry in told if isinstance(entry, dict)]
        return [failed_envelope(self.app, entry, self._clock.now()) for entry in entries]

    async def check_credentials(self) -> None:
        """Raises AuthFailed when they are wrong."""
        await self._api.check_credentials()

    @property
    def is_streamed(self) -> bool:
        """Whether what people say comes over connections of ours, instead of our doors."""
        return self._app.is_streamed

    async def check_stream(self) -> None:
        """Raises where no connection could be opened; opens none."""
        await self._gateway.check()

    @property
    def has_template(self) -> bool:
        return bool(self._app.card_template_id)

    async def check_template(self) -> None:
        """Makes a card that nobody is shown: a paid call, once a day the only one that makes
        anything."""
        day = self._clock.now().date()
        await self._cards.check_template(f"gendan-doctor-{day:%Y%m%d}")

    @property
    def group_robots(self) -> Sequence[str]:
        return sorted(self._app.webhooks)

    async def check_group_robot(self, name: str) -> None:
        """Says nothing: a body without a type is refused after token and signature were looked
        at."""
        try:
            await self._api.webhook(*self._app.webhooks[name], {})
        except DingtalkRejected as error:
            if error.code in NO_GROUP_ROBOT:
                raise

    async def check_address(self) -> None:
        """Raises AuthFailed when the platform does not know our address."""
        await self._api.scopes()

    async def count_people(self) -> int:
        """How many the application may see."""
        return await directory.count_people(self._api)

    async def platform_time(self) -> datetime:
        """What time it is there, to the second."""
        return await self._api.platform_time()

    async def _say(self, to: Address, content: Text | Markdown, dedupe_key: str) -> Receipt:
        """Through the API; through the chat's session where the API cannot, or is dear."""
        message = robot_message(content)
        body = message.for_webhook(dedupe_key)
        session_first = is_outsider(to) or await self._api.quota.is_saving()
        if session_first and await self._answer_in_session(to, body):
            return Receipt()
        try:
            return await self._post(to, message)
        except QuotaUsedUp:
            if not session_first and await self._answer_in_session(to, body):
                return Receipt()
            raise

    async def _show(self, to: Address, card: Card, dedupe_key: str) -> Receipt:
        if not self._cards.are_ready:
            return await self._say(to, as_markdown(card), dedupe_key)
        self._keep_pace(to)
        try:
            return await self._cards.create(to, card)
        except QuotaUsedUp:
            return await self._say(to, as_markdown(card), dedupe_key)

    async def _redraw(self, to: Address, update: CardUpdate, dedupe_key: str) -> Receipt:
        card = update.card
        if not self._cards.are_ready and update.only_in_place:
            return Receipt()
        if not self._cards.are_ready:
            return await self._say(to, as_markdown(card), dedupe_key)
        if card.closed and await self._api.quota.is_saving():
            fields = {"action": "dingtalk_quota", "channel": f"dingtalk:{self._app.name}"}
            log.info("a closed card is left as it stands, to save a call", extra=fields)
            return Receipt()
        try:
            return await self._cards.update(card)
        except DingtalkRejected as error:
            if error.code != CARD_GONE:
                raise
            if update.only_in_place:
                return Receipt()
            return await self._show(to, card, dedupe_key)

    async def _post(self, to: Address, message: RobotMessage) -> Receipt:
        body: Body = {"robotCode": self._app.robot_code, **message.for_api()}
        self._keep_pace(to)
        if to.chat_id is not None:
            body["openConversationId"] = to.chat_id
            answer = await self._api.new("POST", "v1.0/robot/groupMessages/send", body)
        else:
            body["userIds"] = [to.user_id]
            answer = await self._api.new("POST", "v1.0/robot/oToMessages/batchSend", body)
            _check_delivered(answer)
        return Receipt(handle=text(answer, "processQueryKey"))

    async def _answer_in_session(self, to: Address, body: Body) -> bool:
        """False when the chat has no session, or only one that has ended."""
        url = self._sessions.find(to)
        if url is None:
            return False
        try:
            await self._api.session(url, body)
        except DingtalkRejected as error:
            if error.code not in SESSION_OVER:
                raise
            self._sessions.forget(to)
            return False
        return True

    async def _send_by_webhook(self, name: str, content: Content, dedupe_key: str) -> Receipt:
        """Group robots know no cards that call back and take no files."""
        if name not in self._app.webhooks:
            raise PermanentError(f"no group robot {name!r} is configured for {self._app.name}")
        if isinstance(content, Card):
            content = as_markdown(content)
        elif isinstance(content, CardUpdate):
            content = as_markdown(content.card)
        elif isinstance(content, FileContent):
            raise Rejected(f"a group robot cannot send files: {content.name}")
        self._webhook_pace.take(name)
        access_token, secret = self._app.webhooks[name]
        await self._api.webhook(
            access_token, secret, robot_message(content).for_webhook(dedupe_key)
        )
        return Receipt()

    def note_sent(self, to: Address, at: datetime) -> None:
        """See `bot.ports.ChatConnector`."""
        if to.webhook is not None:
            self._webhook_pace.count(to.webhook, at)
        elif to.chat_id is not None:
            self._group_pace.count(to.key, at)

    def _keep_pace(self, to: Address) -> None:
        if to.chat_id is not None:
            self._group_pace.take(to.key)


def _check_delivered(answer: Body) -> None:
    """The call succeeds even when its one receiver gets nothing (notes 3.4)."""
    if rows(answer, "flowControlledStaffIdList"):
        raise RateLimited("the receiver gets too many", retry_after_s=_FLOW_CONTROLLED_S)
    if rows(answer, "invalidStaffIdList") or rows(answer, "filteredStaffIdList"):
        raise Rejected("the receiver left, or is outside the application's visible range")
