"""What a message is for: one intent out of `bot.domain.activities.Intent`."""

from __future__ import annotations

import math
import re

from bot.domain.activities import Intent
from handlers.understanding.lexicon import lists, patterns, says
from handlers.understanding.opinions import learnt, plain
from handlers.understanding.purposes import MENTION, Purpose, Said, found
from handlers.understanding.talk import about_the_talk, topic_of
from handlers.understanding.tenses import is_not_done

_TO_EVERYBODY = re.compile(r"@(?:所有人|all)|^(?:大家|各位|同志们)")
_CLOCK_AHEAD = re.compile(r"\d点|[一二两三四五六七八九十]点|\d:\d\d")
_ARRANGED = re.compile(r"约|定[了好在]|说好|敲定|安排")
_HAPPENED = re.compile(r"[了过完着咗哒]|刚|今|昨|到(?!时)|上午|下午|早上|回来|出来")
_MONEY_CAME = re.compile(r"账|帐|款|收|钱|定金|订金|尾|退")
_SPOKEN = re.compile(r"语音(?!信箱|留言)|通话|电话|视频")
_AGREED = re.compile(r"(?<![签爽失赴履])约(?:到|好|上了|成|妥|定)|预约了?")
_NOTHING_CAME = re.compile(r"^[^。;!?]{0,12}(?:没到|没收到|没见|未到|没动静|没付|没打|没影)")
_AT_LAST = re.compile(r"终于|总算")
"""欠着的货款终于打过来了: what was owed is paid."""
_AWAY = re.compile(r"[说在人][^,。;!?]{0,4}(?:开会|出差|吃饭|外地|休假|旅游)去了$")
_OF_WORK = re.compile(
    r"客户|拜访|电话|通话|上门|面谈|打了|没接|报价|报了|方案|到账|回款|合同|签|单|约|提醒|联系|跟进|回访"
    r"|预测|预计|业绩|意向|l[123]|发了|收到|嫌|\d ?[万wk]|commit|保底|[一二三四五六七八九十]万"
)
_REPORTED = re.compile(r"说|讲|话(?![费术])|回复|微信")
"""秋收完了再说, said by a customer, is what was heard, not what we shall do."""
_NEVER_GUESSED = frozenset({Intent.CONFIRM, Intent.CANCEL})
"""What a likeness alone must not do: it would store or drop a draft."""
_CERTAIN = 0.95
_WEIGHT_TO_THE_BOT = 1.0
_WEIGHT_OF_WORDS = 3.0
_WEIGHT_OF_NOTHING = 0.0
_WEIGHT_OF_NO_CUSTOMER = 2.0
"""What the rules say is heard as so many natural logarithms of likelihood for it: of what is said
to the bot, of words the rules know, of nothing found, and of nothing found and nobody named.
Chosen over authors whom the likenesses had not learnt from; where the rules only infer, they
weigh nothing."""
_INFERRED = 0.8
_ONLY_BY_RULES = _NEVER_GUESSED | {Intent.BOOK_VISIT, Intent.SET_NEXT}
"""And where nothing lies ahead."""
_NAMES_A_FILE = re.compile(rf"(?:这|那)?[个份张]?(?:就)?是?{MENTION}+家?的[^,。;!?]{{1,6}}")
"""这是栖霞阀业的方案: whose it is, not what was done with it."""
_ENDS_ASKING = re.compile(
    r"[^,。;!?]{1,20}(?:吗|[了到完好上成签付]没有?|多少|什么时候|(.)不\1"
    r"|几[个家单条次天笔](?:客户|单|钱)?)[?。 ]*"
)
"""«甬江轴承回款到了没» tells of no payment, however alike the words."""
_SIGNS = re.compile(r"签(?!的)|成交|拿下|下单|订单|合同")
"""What a deal is won by; only planned, it is not won: «下周一签158万»."""
_SHORTEST_TOLD = 3
_SENTENCE = 8
"""Fewer characters that name nobody are an answer (30分钟), which its question explains."""


def find_purpose(said: Said) -> Purpose:
    """What the rules say and what messages that read alike were for, weighed together."""
    to_the_bot = about_the_talk(said)
    first = to_the_bot
    if first is None and (said.names_customer or said.duration or _OF_WORK.search(said.text)):
        first = _about_the_customer(said)
    weight = _WEIGHT_TO_THE_BOT if to_the_bot else _weight(said, first)
    return _by_likeness(said, first, weight) or first or Purpose(Intent.CHITCHAT, sure=0.6)


_CLOSES = frozenset({Intent.LOG_WIN, Intent.LOG_LOSS})
"""Whether a deal is won or lost is never left to likeness against the rules' own words: 赢单 and
丢单 read alike."""


_LEAST = 0.25
_FLOORS = {Intent.LOG_LOSS: 0.7, Intent.LOG_WIN: 0.5, Intent.LOG_PAYMENT: 0.5}
"""A deal is not given up by a faint likeness: «门口的桂花开了»."""


def _weight(said: Said, first: Purpose | None) -> float:
    if first:
        return _WEIGHT_OF_WORDS if first.sure > _INFERRED else 0
    return _WEIGHT_OF_NOTHING if said.names_customer else _WEIGHT_OF_NO_CUSTOMER


def _by_likeness(said: Said, first: Purpose | None, weight: float) -> Purpose | None:
    """What the message is for if that is not what the rules say; never sure enough to be stored."""
    told = len(said.text.replace(MENTION, "").strip())
    if told < _SHORTEST_TOLD or (first is None and not said.names_customer and told < _SENTENCE):
        return None
    asks = first is not None and first.intent is Intent.QUERY and not said.ahead
    if asks and _ENDS_ASKING.fullmatch(said.text.strip()):
        return None
    if (first and first.sure >= _CERTAIN) or _NAMES_A_FILE.fullmatch(said.text.strip()):
        return None
    supposed = first.intent if first else Intent.CHITCHAT
    likely = learnt().likely(plain(said.text))
    likely[supposed] += weight
    ruled_out = _NEVER_GUESSED if said.ahead or said.planned.strip() else _ONLY_BY_RULES
    if supposed is Intent.QUERY:
        ruled_out |= _CLOSES  # «吴淞咋样了» gives nothing up
    if _SIGNS.search(said.planned) and not _SIGNS.search(said.told):
        ruled_out |= {Intent.LOG_WIN}
    open_to_all = [label for label in likely if label == supposed or label not in ruled_out]
    intent = Intent(max(open_to_all, key=likely.__getitem__))
    if intent is supposed or {supposed, intent} <= _CLOSES:
        return None
    floor = _FLOORS.get(intent, _LEAST if first is None else 0)
    if math.exp(likely[intent]) < floor:
        return None
    connected = says("intents", "call", "failed", said.text) is None
    return Purpose(
        intent,
        connected=connected if intent is Intent.LOG_CALL else None,
        topic=topic_of(said) if intent is Intent.QUERY else None,
        sure=min(math.exp(likely[intent]), 1) * 0.7,
    )


def _about_the_customer(said: Said) -> Purpose | None:
    for read in (
        _forecast,
        _loss,
        _closing,
        _visit,
        _missed_call,
        _call_with_length,
        _level,
        _papers,
        _message,
        _call,
        _booking,
        _hope,
        _next,
        _remark,
    ):
        purpose = read(said)
        if purpose:
            return purpose
    return None


def _forecast(said: Said) -> Purpose | None:
    match = says("intents", "forecast", "words", said.text)
    return None if said.duration else found(Intent.SUBMIT_FORECAST, match)


def _loss(said: Said) -> Purpose | None:
    match = says("intents", "loss", "words", said.told)
    if match and says("intents", "loss", "not_yet", said.text[: match.end() + 1]):
        return None
    return found(Intent.LOG_LOSS, match)


def _closing(said: Said) -> Purpose | None:
    """Signed or paid, whichever the text says first."""
    won = _happened(said.told, "win")
    paid = None if said.duration else _happened(said.told, "payment")
    if paid and "价" in said.told[: paid.start()] and not _MONEY_CAME.search(paid[0]):
        paid = None
    if paid and (won is None or paid.start() < won.start()):
        return found(Intent.LOG_PAYMENT, paid)
    return None if said.level_named else found(Intent.LOG_WIN, won)


def _happened(told: str, section: str) -> re.Match[str] | None:
    """The first match that is not denied or put off just before it."""
    words = lists("intents", section)
    for match in words["words"].finditer(told):
        before = re.split(r"[,。;!?\n ]", told[max(0, match.start() - 12) : match.start()])[-1]
        after = told[match.end() : match.end() + 18]
        near = (before, match[0].removesuffix("约"))
        if not _AT_LAST.search(match[0]) and any(map(words["not_yet"].search, near)):
            continue
        if section != "payment" or not _NOTHING_CAME.search(after):
            return match
    return None


def _visit(said: Said) -> Purpose | None:
    done = _visited(said)
    failed = says("intents", "visit", "failed", said.told)
    meeting = says("intents", "visit", "meeting", said.text)
    if failed and (done or meeting) and not said.duration:
        booked = said.ahead and not says("intents", "visit", "by_phone", said.text)
        return found(Intent.BOOK_VISIT if booked else Intent.SET_NEXT, failed)
    if done and says("intents", "call", "explicit", said.told) and "上门" not in done[0]:
        early = says("intents", "call", "explicit", said.told)
        return None if early and early.start() < done.start() else found(Intent.LOG_VISIT, done)
    return found(Intent.LOG_VISIT, done)


def _visited(said: Said) -> re.Match[str] | None:
    """The first word of a visit; 上门, 拜访 and the like behind a coming day are a plan."""
    if said.ahead and not (said.duration or said.objections or _HAPPENED.search(said.told)):
        return None
    for match in lists("intents", "visit")["done"].finditer(said.told):
        bare = patterns("intents", "visit")["bare"].fullmatch(match[0])
        if _AWAY.search(said.told, 0, match.end()):
            continue
        if said.duration or not bare or not said.planned[: match.start()].strip():
            return match
    return None


def _missed_call(said: Said) -> Purpose | None:
    match = says("intents", "call", "failed", said.told)
    return None if said.duration else found(Intent.LOG_CALL, match, connected=False)


def _call_with_length(said: Said) -> Purpose | None:
    written = says("intents", "message", "done", said.told)
    if not said.duration or (written and not _SPOKEN.search(said.told)):
        return None
    return found(Intent.LOG_CALL, says("intents", "call", "done", said.told), connected=True)


def _papers(said: Said) -> Purpose | None:
    """A proposal or a quote that went out, whichever the text says first."""
    papers = []
    for section, intent in (("proposal", Intent.LOG_PROPOSAL), ("quote", Intent.LOG_QUOTE)):
        match = says("intents", section, "done", said.told)
        if match and not says("intents", section, "not_yet", said.text):
            papers.append((match.start(), intent, match))
    if not papers:
        return None
    _, intent, match = min(papers, key=lambda one: one[0])
    return found(intent, match)


def _message(said: Said) -> Purpose | None:
    if says("intents", "call", "explicit", said.told):
        return None
    if _CLOCK_AHEAD.search(said.planned) and _booking(said):
        return _booking(said)
    return found(Intent.LOG_MESSAGE, says("intents", "message", "done", said.told))


def _call(said: Said) -> Purpose | None:
    match = says("intents", "call", "done", said.told)
    if match is None and said.duration and said.names_customer:
        return Purpose(Intent.LOG_CALL, connected=True, sure=0.8)
    return found(Intent.LOG_CALL, match, connected=True)


def _level(said: Said) -> Purpose | None:
    return Purpose(Intent.SET_INTENT) if said.level_named or said.level_known else None


def _booking(said: Said) -> Purpose | None:
    if not said.names_customer and _TO_EVERYBODY.search(said.text):
        return None
    if says("intents", "visit", "by_phone", said.text) or is_not_done(said.text):
        return None
    meeting = says("intents", "visit", "meeting", said.planned)
    if said.ahead and not says("intents", "call", "explicit", said.text):
        meeting = (
            meeting or says("intents", "visit", "noun", said.told) or _AGREED.search(said.text)
        )
    if meeting and (said.ahead or _ARRANGED.search(said.planned)):
        return found(Intent.BOOK_VISIT, meeting)
    return None


def _hope(said: Said) -> Purpose | None:
    if said.vague or said.level_known:
        return Purpose(Intent.SET_INTENT)
    return None


def _next(said: Said) -> Purpose | None:
    match = says("intents", "next", "words", said.text)
    if said.objections and not said.ahead and _REPORTED.search(said.text):
        return _remark(said)
    if match and (said.names_customer or said.ahead):
        return found(Intent.SET_NEXT, match, sure=0.85)
    coming = said.ahead or said.planned.strip()
    return Purpose(Intent.SET_NEXT, sure=0.7) if coming and said.names_customer else None


def _remark(said: Said) -> Purpose | None:
    """栖霞阀业嫌贵: something was heard, without saying how; at least it was said."""
    if said.objections and said.names_customer:
        return Purpose(Intent.LOG_MESSAGE, sure=0.5)
    return None
