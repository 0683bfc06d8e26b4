"""The person at the customer's whom a message speaks of: 王总, 李经理, 老张."""

from __future__ import annotations

import re

from handlers.understanding.spans import Found

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟"
    "谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐"
    "易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
)
_TITLES = (
    "总监|总经理|副总|总工|总(?![部共额价是要会在体结之之算数监经])|经理|主任|厂长|老板|科长|部长|处长|局长|院长|校长|主管|工程师|工(?![厂程作业艺期资人地序具时])|"
    "董事长|董(?!事)|书记|老师|教授|博士|会计|采购|秘书|姐|哥|姨|叔|女士|先生|小姐|助理|队长|班长|师傅|行长|站长|店长|所长|组长"
)
_CONTACT = re.compile(
    rf"(?P<name>(?:欧阳|司马|上官|诸葛|夏侯|东方|皇甫|尉迟|公孙|慕容|令狐|[{_SURNAMES}])[\u4e00-\u9fff]{{0,2}}?"
    rf"(?:{_TITLES}))"
    rf"|(?P<nick>(?<![最大较从变减缩古这])(?:小(?!时)|[老阿])[{_SURNAMES}](?![\u4e00-\u9fff]?(?:板"
    rf"|师|时|心|公司|问题)))"
)
_GIVEN = re.compile(r"^[\u4e00-\u9fff]{2,4}$")
_BELONGS_BEFORE = re.compile(r"(?:小时|公司|[那这哪一旁]边|[两三单多]方|学家|[时人]间)$")
"""«那边顾工», «某某公司李总», «聊了两个小时沈经理也在»: the surname begins one character later."""
_NOT_A_NAME = re.compile(r"[的了在和跟与打给说是找约见去到个]")


def find_contacts(text: str) -> list[Found[str]]:
    """People named with a title, in the order of the text."""
    found = []
    for match in _CONTACT.finditer(text):
        words, start = match["name"] or match["nick"], match.start()
        if _BELONGS_BEFORE.search(text, 0, start + 1) and words[1:2] in _SURNAMES:
            words, start = words[1:], start + 1
        if not _NOT_A_NAME.search(words[1:]):
            found.append(Found(start, match.end(), words))
    return found


def begins_with_surname(word: str) -> bool:
    return word[:1] in _SURNAMES


def read_contact(text: str) -> str | None:
    """A bare answer to "who is the contact?": 王总, 张伟."""
    text = re.sub(
        r"^(?:联系人|对方|是|叫|找|跟|姓名|名字|的|:|：|\s)+|[。!,.~\s了吧啊呢]+$", "", text
    )
    contacts = find_contacts(text)
    if contacts:
        return contacts[0].value
    return text if _GIVEN.match(text) and text[0] in _SURNAMES else None
