"""From a signed contract to its clause review, with receipts as an ERP tells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import pytest

from bot.domain.people import Directory, DirectoryUser, Role
from bot.domain.receivables import Receipt
from bot.errors import Unavailable
from bot.messages import Address, ErpNews, InboundMessage, Incoming, Kind, Platform
from handlers import Handlers
from handlers.erp.erp_polling import ErpPolling
from storage.database import Database
from tests.handlers.chat_company import Chat
from tests.handlers.light_company import at

SIGNED = "恒锐机电合同签了，HT-2026-018，35万，预付30%，1月30日前付"
DUE_OVER = at("2026-01-31 00:00")  # the 30th is a Friday


@dataclass
class Books:
    """An ERP that says what it is told to say, or nothing."""

    name: str = "books"
    lines: list[Receipt] = field(default_factory=list)
    is_away: bool = False

    async def receipts(self, since: datetime) -> Sequence[Receipt]:
        if self.is_away:
            raise Unavailable("books:read: HTTP 503")
        return self.lines


def receipt(number: str, yuan: int, contract: str = "HT-2026-018", **changes: object) -> Receipt:
    plain = Receipt(number, "1", contract, yuan * 100, "CNY", date(2026, 1, 29), "恒锐机电有限公司")
    return replace(plain, **changes)


@dataclass
class Company:
    """张伟's customer 恒锐机电, with 周律 for legal matters and 钱进 at the accounts."""

    chat: Chat
    books: Books = field(default_factory=Books)
    polling: ErpPolling = field(init=False)

    async def open(self) -> Company:
        await self.chat.open()
        self.chat.office = replace(self.chat.office, erps=("books",))
        self.chat.handlers = Handlers(self.chat.office)
        self.polling = ErpPolling(self.chat.office, [self.books])
        users = (DirectoryUser("zhou", "周律"), DirectoryUser("qian", "钱进"))
        news = Directory("wecom", users=users, whole=False)
        async with self.chat.database.begin() as tx:
            roles_of = self.chat.policy.roles.roles_of
            await tx.people.save_directory(news, roles_by_title=roles_of, at=self.chat.now)
            for key, role in (("zhou", Role.LEGAL), ("qian", Role.FINANCE)):
                person = await tx.people.find_by_identity("wecom", key)
                assert person is not None
                await tx.people.set_roles(person.id, [role])
        await self.chat.customer("恒锐机电")
        return self

    async def signed(self, words: str = SIGNED) -> str:
        await self.chat.say("zhang", words)
        return await self.chat.press("zhang", self.chat.card("zhang"), "确认登记")

    async def tick(self, moment: datetime) -> None:
        """One tick of the poll, its messages queued as the scheduler does."""
        self.chat.now = moment
        job = self.polling.job()
        assert job.prepare is not None
        await job.prepare(self.chat.database.begin, moment)
        async with self.chat.database.begin() as tx:
            messages = await job.run(tx, moment)
            await tx.delivery.queue(messages, at=moment)
        self.chat.said += messages

    async def tell(self, *receipts: Receipt, complete_until: datetime | None = None) -> None:
        """A notification of the ERP."""
        self.chat.numbers += 1
        now = self.chat.now
        message = InboundMessage(
            platform=Platform.ERP,
            app="books",
            message_id=str(self.chat.numbers),
            origin=Address(Platform.ERP, "books", user_id=""),
            sender_id="",
            sent_at=now,
            kind=Kind.ERP_NEWS,
            news=ErpNews(receipts, complete_until),
        )
        incoming = Incoming(message, f"erp:{message.message_id}", now)
        async with self.chat.database.begin() as tx:
            self.chat.said += await self.chat.handlers.handle(tx, incoming)

    def reviews(self, who: str) -> list[str]:
        """The titles of the review cards that somebody got, oldest first."""
        from bot.messages import Card

        to = Address(Platform.WECOM, "sales", user_id=who)
        cards = [one.content for one in self.chat.said if one.to == to]
        return [
            one.card_id
            for one in cards
            if isinstance(one, Card) and one.card_id.startswith("review-")
        ]

    async def asked(self) -> str:
        return await self.chat.say("zhang", "回款 恒锐机电")


@pytest.fixture
async def company(database: Database) -> Company:
    return await Company(Chat(database)).open()


async def test_a_contract_told_in_words_is_shown_and_recorded_when_confirmed(
    company: Company,
) -> None:
    shown = await company.chat.say("zhang", SIGNED)
    for word in ("HT-2026-018", "35万元", "10.5万元", "2026年1月30日"):
        assert word in shown
    told = await company.chat.press("zhang", company.chat.card("zhang"), "确认登记")
    assert "已登记" in told
    assert "未到期" in await company.asked()


async def test_what_a_contract_lacks_is_asked_for(company: Company) -> None:
    assert "还缺合同号、金额" in await company.chat.say("zhang", "登记合同 恒锐机电 预付30%")
    assert "还缺客户" in await company.chat.say("zhang", "登记合同 HT-2026-018 35万")


async def test_a_number_is_recorded_once(company: Company) -> None:
    await company.signed()
    assert "已经登记过" in await company.chat.say("zhang", SIGNED)


async def test_nobody_records_a_contract_for_a_colleagues_customer(company: Company) -> None:
    told = await company.chat.say("chen", "登记合同 恒锐机电 HT-2026-018 35万")
    assert "张伟" in told
    assert "还没有登记合同" in await company.asked()


async def test_a_prepayment_that_came_in_time_opens_no_review(company: Company) -> None:
    await company.signed()
    company.books.lines = [receipt("SK1", 105_000)]
    await company.tick(DUE_OVER)
    assert company.reviews("zhou") == []
    assert "已到账" in await company.asked()


async def test_a_missing_prepayment_opens_one_review_for_legal_and_the_rep(
    company: Company,
) -> None:
    await company.signed()
    await company.tick(DUE_OVER - timedelta(minutes=10))
    assert company.reviews("zhou") == []
    company.books.lines = [receipt("SK1", 104_999)]
    await company.tick(DUE_OVER)
    await company.tick(DUE_OVER + timedelta(days=1))
    assert len(company.reviews("zhou")) == len(company.reviews("zhang")) == 1
    card = company.chat.card("zhou")
    assert ("已收", "104,999元") in card.facts
    assert "核对付款条款" in "".join(card.lines)
    for who in ("zhou", "zhang"):
        assert "合同 HT-2026-018 · " in await company.chat.say(who, "待办")
    assert "HT-2026-018" not in await company.chat.say("chen", "待办")


async def test_a_post_paid_contract_is_never_reviewed(company: Company) -> None:
    await company.signed("恒锐机电合同签了，HT-2026-018，35万，货到付款")
    await company.tick(DUE_OVER + timedelta(days=90))
    assert company.reviews("zhou") == []


async def test_a_silent_erp_means_unknown_and_not_unpaid(company: Company) -> None:
    await company.signed()
    await company.tick(at("2026-01-29 10:00"))
    company.books.is_away = True
    await company.tick(DUE_OVER + timedelta(days=2))
    assert company.reviews("zhou") == []
    assert "自 1月29日(周四) 10:00 起未知" in await company.asked()
    assert "不当作未付" in company.chat.heard_by("zhao")
    company.books.is_away = False
    await company.tick(DUE_OVER + timedelta(days=3))
    assert len(company.reviews("zhou")) == 1


async def test_an_answer_for_a_tick_that_was_lost_does_not_hide_a_silence_after_it(
    company: Company,
) -> None:
    """It was stored as all that is known up to the next tick, and the contract taken for unpaid."""
    await company.signed()
    await company.tick(at("2026-01-29 10:00"))
    job = company.polling.job()
    assert job.prepare is not None
    await job.prepare(company.chat.database.begin, at("2026-01-29 11:00"))
    company.books.is_away = True
    await company.tick(DUE_OVER + timedelta(days=2))
    assert company.reviews("zhou") == []
    assert "自 1月29日(周四) 10:00 起未知" in await company.asked()


async def test_an_erp_that_is_to_tell_by_itself_and_does_not_is_told_of_once(
    company: Company,
) -> None:
    company.polling = ErpPolling(company.chat.office, [])
    await company.tell(complete_until=at("2026-01-28 10:00"))
    await company.tick(at("2026-01-29 11:50"))
    assert "未连通" not in company.chat.heard_by("zhao")
    for clock in ("12:00", "12:10"):
        await company.tick(at(f"2026-01-29 {clock}"))
    keys = {one.dedupe_key for one in company.chat.said if "erp-silent" in one.dedupe_key}
    assert len(keys) == 1
    assert "complete_until" in company.chat.heard_by("zhao")


async def test_the_first_decision_stands_and_the_second_is_told(company: Company) -> None:
    await company.signed()
    await company.tick(DUE_OVER)
    legal, rep = company.chat.card("zhou"), company.chat.card("zhang")
    assert "停发货" in await company.chat.press("zhou", legal, "停发货")
    told = await company.chat.press("zhang", rep, "改条款")
    assert "周律" in told
    assert "没有生效" in told
    assert company.chat.shown("zhang").closed == company.chat.shown("zhou").closed == "停发货"
    assert "停发货" in await company.asked()


async def test_both_see_the_checklist_that_either_ticks_off(company: Company) -> None:
    await company.signed()
    await company.tick(DUE_OVER)
    await company.chat.press("zhou", company.chat.card("zhou"), "完成下一项")
    assert "☑核对付款条款(周律)" in "".join(company.chat.shown("zhang").lines)
    await company.chat.press("zhang", company.chat.shown("zhang"), "完成下一项")
    assert "☑联系客户财务(张伟)" in "".join(company.chat.shown("zhou").lines)


async def test_waiting_needs_a_day_and_is_looked_at_again_after_it(company: Company) -> None:
    await company.signed()
    await company.tick(DUE_OVER)
    card = company.chat.card("zhou")
    assert "等到哪天" in await company.chat.press("zhou", card, "继续等待")
    assert "2月3日" in await company.chat.press("zhou", card, "继续等待", until="2026-02-03")
    await company.tick(at("2026-02-03 23:50"))
    assert len(company.reviews("zhou")) == 1
    await company.tick(at("2026-02-04 00:00"))
    assert len(company.reviews("zhou")) == 2


async def test_a_payment_closes_the_review_and_a_reversal_opens_it_again(
    company: Company,
) -> None:
    await company.signed()
    await company.tick(DUE_OVER)
    await company.tell(receipt("SK1", 105_000), receipt("SK1", 105_000))
    assert company.chat.shown("zhang").closed == "已到账"
    await company.tell(receipt("SK1", 105_000))
    assert "已收 10.5万元" in await company.asked()
    await company.tell(receipt("SK2", -105_000))
    assert len(company.reviews("zhou")) == len(company.reviews("zhang")) == 2
    assert "已收 0元" in await company.asked()
    old = company.chat.card("zhou", before=1)
    assert "上一轮" in await company.chat.press("zhou", old, "stop_delivery")


async def test_a_receipt_that_the_erp_corrects_counts_as_corrected(company: Company) -> None:
    await company.signed()
    await company.tell(receipt("SK1", 105_000))
    await company.tell(receipt("SK1", 50_000))
    assert "已收 5万元" in await company.asked()


async def test_a_withdrawn_receipt_opens_the_review_again_and_is_never_to_match(
    company: Company,
) -> None:
    await company.signed()
    await company.tick(DUE_OVER)
    await company.tell(receipt("SK1", 105_000), receipt("SK2", 500, "HT-9"))
    await company.tell(receipt("SK1", 0), receipt("SK2", 0, "HT-9"), receipt("SK3", 0, "HT-9"))
    assert len(company.reviews("zhou")) == 2
    assert "回款撤回 0元" in await company.chat.say("zhang", "动态 恒锐机电")
    assert "没有待匹配" in await company.chat.say("qian", "待匹配回款")


async def test_another_currency_is_listed_and_no_amount(company: Company) -> None:
    await company.signed()
    await company.tell(receipt("SK1", 105_000, currency="USD"))
    assert "已收 0元" in await company.asked()
    listed = await company.chat.say("qian", "待匹配回款")
    assert "USD 105,000.00" in listed
    assert "不计入已收" in listed


async def test_a_receipt_for_an_unknown_contract_is_matched_by_finance(company: Company) -> None:
    await company.signed()
    await company.tell(receipt("SK1", 105_000, "HT-9"), receipt("SK2", 1, ""))
    assert "财务" in await company.chat.say("zhang", "待匹配回款")
    assert "SK1" in await company.chat.say("qian", "待匹配回款")
    card = company.chat.card("qian")
    assert "先在卡片上选合同" in await company.chat.press("qian", card, "匹配")
    option = card.fields[0].options[0]
    assert option.label == "HT-2026-018"
    told = await company.chat.press("qian", card, "匹配", contract=option.id)
    assert "SK2" in told
    assert "已到账" in await company.asked()
    assert "已经匹配过" in await company.chat.press("qian", card, "match", contract=option.id)
    assert "已匹配" in await company.chat.say("qian", "匹配 SK2 HT-2026-018")
    assert "没有待匹配" in await company.chat.say("qian", "待匹配回款")


async def test_receipts_that_came_before_their_contract_are_its_own(company: Company) -> None:
    await company.tell(receipt("SK1", 105_000))
    assert "1笔回款" in await company.signed()
    assert "已收 10.5万元" in await company.asked()


async def test_paid_please_check_asks_finance_and_leaves_the_review_open(
    company: Company,
) -> None:
    await company.signed()
    await company.tick(DUE_OVER)
    assert "钱进" in await company.chat.press("zhang", company.chat.card("zhang"), "已付请核对")
    assert "HT-2026-018" in company.chat.heard_by("qian")
    assert company.chat.shown("zhou").closed == ""


async def test_changed_terms_decide_an_open_review_and_are_looked_at_anew(
    company: Company,
) -> None:
    await company.signed()
    await company.tick(DUE_OVER)
    shown = await company.chat.say("zhang", "改合同 HT-2026-018 预付20%，2月10日前付")
    assert "7万元" in shown
    assert "35万元" in shown
    told = await company.chat.press("zhang", company.chat.card("zhang"), "确认变更")
    assert "2月10日" in told
    assert company.chat.shown("zhou").closed == "改条款"
    assert "未到期" in await company.asked()
    await company.tick(at("2026-02-11 00:00"))
    assert len(company.reviews("zhou")) == 2


async def test_a_contract_that_becomes_post_paid_needs_no_review(company: Company) -> None:
    await company.signed()
    await company.tick(DUE_OVER)
    await company.chat.say("zhang", "改合同 HT-2026-018 货到付款")
    await company.chat.press("zhang", company.chat.card("zhang"), "确认变更")
    assert company.chat.shown("zhou").closed == "改条款"
    assert "后付款" in await company.asked()


async def test_a_card_that_waits_for_the_morning_is_not_overtaken_by_its_update(
    company: Company,
) -> None:
    await company.signed()
    await company.tick(DUE_OVER)  # midnight before a Saturday
    await company.tell(receipt("SK1", 105_000))
    to = Address(Platform.WECOM, "sales", user_id="zhou")
    async with company.chat.database.begin() as tx:
        await tx.delivery.queue(company.chat.said, at=company.chat.now)
        assert to not in [one.to for one in await tx.delivery.take_due(at=DUE_OVER, limit=50)]
        monday = at("2026-02-02 08:30")
        due = [one for one in await tx.delivery.take_due(at=monday, limit=50) if one.to == to]
    assert [type(one.content).__name__ for one in due] == ["Card"]


async def test_nobody_changes_a_contract_that_is_not_there_or_not_theirs(
    company: Company,
) -> None:
    assert "没有登记过" in await company.chat.say("zhang", "改合同 HT-2026-018 预付20%")
    await company.signed()
    assert "张伟" in await company.chat.say("chen", "改合同 HT-2026-018 预付20%")
    assert "预付款要大于 0" in await company.chat.say("zhang", "改合同 HT-2026-018 预付款40万")


async def test_the_customers_stream_tells_the_whole_story_once(company: Company) -> None:
    await company.signed()
    await company.tick(DUE_OVER)
    await company.tell(receipt("SK1", 105_000))
    await company.tell(receipt("SK1", 105_000), receipt("SK2", -105_000))
    told = await company.chat.say("zhang", "动态 恒锐机电")
    for title in ("合同登记 HT-2026-018", "回款 10.5万元", "回款冲销 −10.5万元"):
        assert told.count(title) == 1
    assert told.count("条款复核 ") == 3  # opened, paid, opened again


async def test_only_those_concerned_may_decide(company: Company) -> None:
    await company.signed()
    await company.tick(DUE_OVER)
    told = await company.chat.press("chen", company.chat.card("zhou"), "停发货")
    assert "没有改动" in told
    assert company.chat.shown("zhou").closed == ""


async def test_an_overdue_review_reminds_once_and_the_supervisor_too(company: Company) -> None:
    await company.signed()
    await company.tick(DUE_OVER)
    for days in (5, 6):
        await company.tick(DUE_OVER + timedelta(days=days))
    for who in ("zhou", "zhang", "li"):
        assert company.chat.heard_by(who).count("已过期限") == 1


async def test_what_an_erp_calls_complete_makes_unpaid_known(company: Company) -> None:
    await company.signed()
    company.chat.now = DUE_OVER + timedelta(hours=1)
    await company.tell()
    assert company.reviews("zhou") == []
    await company.tell(complete_until=DUE_OVER)
    assert len(company.reviews("zhou")) == 1
