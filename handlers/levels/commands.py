"""The typed orders about levels and forecasts: (words, what runs)."""

from __future__ import annotations

from handlers.forecasts import cosigning, locking, showing, submitting
from handlers.levels import evidence

COMMANDS = (
    ("(?:查|看|查看)?凭据(?=[ :：]|$)", evidence.show),
    ("撤回凭据(?=[ :：#]|$)", evidence.withdraw),
    ("预测帮助", showing.explain),
    ("提交预测|预测提交", submitting.begin),
    ("改预测(?=[ :：]|$)|修改预测(?=[ :：]|$)", submitting.change),
    ("(?:申请|请求)重开预测(?=[ :：,，]|$)", locking.ask),
    ("重开预测(?=[ :：,，]|$)", locking.by_words),
    ("评分(?=[ :：]|$)", submitting.answer),
    ("复评结论(?=[ :：#]|$)", cosigning.rule),
    ("复评(?=[ :：#]|$)", cosigning.by_words),
    ("预测变化|预测对比", showing.show_changes),
    ("预测准确率?", showing.show_accuracy),
    ("预测判断(?=[ :：]|$)", showing.judge),
    ("预测目标(?=[ :：]|$)", showing.set_target),
    ("设置客户成功(?=[ :：]|$)", showing.set_csm),
    ("(?:看|查|查看)?(?:我的)?预测(?=[ :：团]|$)", showing.show),
    ("(?:看|查|查看)?团队的?预测", showing.show_team),
    ("取消定级(?=[ :：]|$)", evidence.give_up_level),
)
