"""The pages of bonus rules: who sees what, each step by who may take it, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.domain.people import Role
from tests.handlers.payouts.payout_company import FLAT
from tests.pages.rule_world import WHOLE, RuleWorld, world

__all__ = ["world"]

BESIDE_AUTHORS = set(Role) - {Role.ADMIN, Role.HRBP, Role.FINANCE}
DECIDING = {Role.ADMIN, Role.HRBP, Role.FINANCE, Role.SALES_DIRECTOR}


async def test_everybody_reads_what_applies_and_nothing_that_is_on_its_way(
    world: RuleWorld,
) -> None:
    assert "还没有发布过奖金规则" in (await world.get("zhang", "/rules"))[1]
    await world.company.publish(FLAT)
    number = await world.draft(
        {**FLAT, "version": 2, "rate_bp": 400, "effective_from": "2026-05-01"}
    )
    status, page = await world.get("zhang", "/rules")
    assert status == 200
    assert "回款率≥95%时，按合同额的 3% 提成" in page
    assert "在途的变更" not in page
    assert "改这条" not in page
    assert (await world.get("zhang", f"/rules/{number}"))[0] == 404
    assert (await world.get("zhang", f"/rules/{number}/edit"))[0] == 404
    status, page = await world.get("he", "/rules")
    assert "在途的变更" in page
    assert "改这条" in page


async def test_versions_are_compared_in_words_and_in_code(world: RuleWorld) -> None:
    await world.company.publish(FLAT)
    await world.company.publish(
        {**FLAT, "version": 2, "rate_bp": 400, "effective_from": "2026-02-01"}
    )
    status, page = await world.get("zhang", "/rules/versions?rule=提成")
    assert status == 200
    assert (
        '<del><span class="visually-hidden">旧：</span>回款率≥95%时，按合同额的 3% 提成</del>'
        in page
    )
    assert (
        '<ins><span class="visually-hidden">新：</span>回款率≥95%时，按合同额的 4% 提成</ins>'
        in page
    )
    assert "&#34;rate_bp&#34;: 400" in page
    for query in (
        "rule=没有",
        "rule=提成&new=7",
        "rule=提成&old=x",
        "rule=",
        "rule=提成&old=" + "9" * 30,
    ):
        assert (await world.get("zhang", f"/rules/versions?{query}"))[0] == 404, query


async def test_from_the_canvas_to_everybodys_news(world: RuleWorld) -> None:
    """Two people, no chat."""
    company = world.company
    await company.signed()
    await company.tell("SK1", 100_000)
    await company.publish(FLAT)
    status, _ = await world.post("he", "/rules", rule="提成")
    assert status == 200
    number = 2
    draft = await world.stored(number)
    assert (draft.rules[0]["version"], draft.rules[0]["effective_from"]) == (2, "2026-02-01")
    told = {
        "rules": [{**draft.rules[0], "rate_bp": 500}],
        "revision": 0,
        "layout": {"rule-提成": [9, 8]},
    }
    assert (await world.call("he", f"/rules/{number}/save", told))[0] == 200
    page = (await world.post("he", f"/rules/{number}", move="simulate"))[1]
    assert "影响面：涉及1人，金额会变" in page
    assert "+2,000.00元" in page
    page = (await world.post("he", f"/rules/{number}", move="submit"))[1]
    assert "要由另一个人批准" in page
    status, page = await world.post("he", f"/rules/{number}", move="approve")
    assert status == 403
    assert "自己写的不能自己批" in page
    page = (await world.get("qian", f"/rules/{number}"))[1]
    assert "批准</button>" in page
    page = (await world.post("qian", f"/rules/{number}", move="approve"))[1]
    assert "已批准，待发布" in page
    before = company.chat.heard_by("zhang")
    assert "已发布" in (await world.post("he", f"/rules/{number}", move="publish"))[1]
    sent = await world.queued_to("zhang")
    assert "按合同额的 5% 提成" in sent
    assert "现行规则 3,000.00元，新规则 5,000.00元（+2,000.00元）" in sent
    assert company.chat.heard_by("zhang") == before  # it went through the outbox
    reader = (await world.get("zhang", f"/rules/{number}"))[1]
    assert "影响面：涉及1人，金额会变" in reader
    assert "张伟</td>" not in reader


async def test_cards_in_the_chat_follow_the_page(world: RuleWorld) -> None:
    await world.company.draft(FLAT)
    await world.post("he", "/rules/1", move="simulate")
    assert "已试算，待送审" in await world.queued_to("he")
    rule = {**FLAT, "rate_bp": 350}
    await world.call("qian", "/rules/1/save", {"rules": [rule], "revision": 0})
    assert "草稿" in await world.queued_to("he")


async def test_whoever_wrote_in_it_does_not_approve_it(world: RuleWorld) -> None:
    number = await world.draft(FLAT)
    saved = {"rules": [{**FLAT, "rate_bp": 350}], "revision": 0}
    assert (await world.call("qian", f"/rules/{number}/save", saved))[0] == 200
    await world.post("he", f"/rules/{number}", move="simulate")
    await world.post("he", f"/rules/{number}", move="submit")
    for who in ("he", "qian"):
        status, page = await world.post(who, f"/rules/{number}", move="approve")
        assert status == 403, who
        assert "自己写的不能自己批" in page
    assert str((await world.stored(number)).state) == "submitted"


async def test_of_two_who_edit_at_once_the_second_is_told(world: RuleWorld) -> None:
    number = await world.draft(FLAT)
    first = {"rules": [{**FLAT, "rate_bp": 310}], "revision": 0}
    assert await world.call("qian", f"/rules/{number}/save", first) == (
        200,
        (await world.call("qian", f"/rules/{number}/check", first))[1] | {"revision": 1},
    )
    second = {"rules": [{**FLAT, "rate_bp": 320}], "revision": 0}
    status, told = await world.call("he", f"/rules/{number}/save", second)
    assert status == 409
    assert "钱进在" in told["words"]
    assert (await world.stored(number)).rules[0]["rate_bp"] == 310


async def test_a_save_makes_a_simulated_change_a_draft_again(world: RuleWorld) -> None:
    number = await world.draft(FLAT)
    await world.post("he", f"/rules/{number}", move="simulate")
    await world.call("he", f"/rules/{number}/save", {"rules": [FLAT], "revision": 0})
    change = await world.stored(number)
    assert (str(change.state), change.simulation) == ("draft", None)
    await world.post("he", f"/rules/{number}", move="simulate")
    await world.post("he", f"/rules/{number}", move="submit")
    status, told = await world.call("he", f"/rules/{number}/save", {"rules": [FLAT], "revision": 1})
    assert status == 409
    assert "待批准" in told["words"]


async def test_a_cliff_is_told_beside_its_tier_with_the_amount(world: RuleWorld) -> None:
    number = await world.draft(WHOLE)
    _, told = await world.call("he", f"/rules/{number}/check", {"rules": [WHOLE]})
    assert told["problems"] == []
    assert told["notices"] == [
        {
            "rule": 0,
            "at": "tiers[1]",
            "text": "断崖：满50万元时，比差一分钱多发 15,000.00元",
            "key": "cliff",
            "fen": 1_500_000,
        }
    ]
    assert "达到的最高一档全额提成" in told["sentences"][0]["text"]
    page = (await world.get("he", f"/rules/{number}"))[1]
    assert "「阶梯」第1版有1处断崖：差一分钱，奖金差很多" in page
    assert "满50万元时，比差一分钱多发 15,000.00元" in page
    assert "不是错误，不影响送审和发布" in page
    assert "「分段：各段按各段的比例」" in page


@pytest.mark.parametrize(
    ("rules", "at", "words"),
    [
        ([{**WHOLE, "tiers": [{"from_fen": 5, "rate_bp": 1}]}], "tiers[0] from_fen", "应从 0 开始"),
        ([{**WHOLE, "tiers": [{"from_fen": 0, "rate_bp": 1, "to_fen": 5},
                              {"from_fen": 9, "rate_bp": 2}]}],
         "tiers[0] to_fen", "5 到 9 分之间没有档"),
        ([{**WHOLE, "tiers": [*WHOLE["tiers"], {"from_fen": 7, "rate_bp": 1}]}],
         "tiers[2] from_fen", "重叠"),
        ([{**WHOLE, "when": [{"field": "contract_fen", "op": "<", "value": 100}]}],
         "tiers[1]", "永远达不到"),
        ([FLAT, {**WHOLE, "when": [{"field": "kind", "op": "==", "value": "a"},
                                  {"field": "kind", "op": "==", "value": "b"}]}],
         "when", "互相矛盾"),
        ([{**FLAT, "rate_bp": 10_001}], "rate_bp", "不能大于 10000"),
        ([{**FLAT, "legal_approval": "张三"}], "legal_approval", "不是在职的法务同事"),
        ([{**FLAT, "supersedes": 7}], "supersedes", "没有可取代的第7版"),
        ([FLAT, FLAT], None, "写了两次"),
        ([], None, "至少要有一条规则"),
    ],
)  # fmt: skip
async def test_what_would_pay_wrongly_is_told_in_its_place_and_not_kept(
    world: RuleWorld, rules: list[Any], at: str | None, words: str
) -> None:
    number = await world.draft(FLAT)
    status, told = await world.call("he", f"/rules/{number}/check", {"rules": rules})
    if at is None:
        assert status == 400
        assert words in told["words"]
    else:
        assert (status, [one["at"] for one in told["problems"]]) == (200, [at])
        assert words in told["problems"][0]["text"]
    status, _ = await world.call("he", f"/rules/{number}/save", {"rules": rules, "revision": 0})
    assert status in (400, 422)
    assert (await world.stored(number)).revision == 0


async def test_a_trial_tells_who_applies_and_the_exact_amount(world: RuleWorld) -> None:
    number = await world.draft(FLAT)
    trial = {"contract_fen": 10_000_001, "paid_fen": 9_500_001, "fields": {"kind": "new"}}
    _, told = await world.call("he", f"/rules/{number}/check", {"rules": [FLAT], "trial": trial})
    (judged,) = told["trial"]["rules"]
    assert (judged["holds"], judged["applies"], judged["engine"]) == ([True], True, True)
    assert judged["amount"] == "3,000.00元"
    trial["paid_fen"] = 9_500_000
    _, told = await world.call("he", f"/rules/{number}/check", {"rules": [FLAT], "trial": trial})
    assert told["trial"]["rules"][0]["holds"] == [False]
    assert told["trial"]["total"] == "0.00元"
    trial["paid_fen"] = -1
    status, _ = await world.call("he", f"/rules/{number}/check", {"rules": [FLAT], "trial": trial})
    assert status == 400


async def test_a_graph_goes_out_and_comes_in_again(world: RuleWorld) -> None:
    number = await world.draft(FLAT, WHOLE)
    status, text = await world.get("he", f"/rules/{number}/graph.json")
    assert status == 200
    graph = json.loads(text)
    assert {node["type"] for node in graph["nodes"]} == {
        "inputNode", "decisionTableNode", "expressionNode", "outputNode"
    }  # fmt: skip
    status, told = await world.call("he", f"/rules/{number}/graph", graph)
    assert (status, told["rules"]) == (200, [FLAT, WHOLE])
    source = (
        "import http from 'http'; export const handler = async () => http.get('http://127.0.0.1')"
    )
    graph["nodes"].append({"id": "f", "type": "functionNode", "name": "取数", "content": source})
    status, told = await world.call("he", f"/rules/{number}/graph", graph)
    assert status == 400
    assert "节点 取数：不能用函数节点" in told["words"]


async def test_a_day_written_in_another_way_is_the_same_day(world: RuleWorld) -> None:
    """Days are compared as texts where versions end each other."""
    await world.company.publish(FLAT)
    number = await world.draft({**FLAT, "version": 2})
    rule = {**FLAT, "version": 2, "effective_from": "20260301"}
    status, _ = await world.call("he", f"/rules/{number}/save", {"rules": [rule], "revision": 0})
    assert status == 200
    assert (await world.stored(number)).rules[0]["effective_from"] == "2026-03-01"


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_does_what_is_its_own(world: RuleWorld, role: Role) -> None:
    await world.company.publish(FLAT)
    number = await world.draft({**FLAT, "version": 2, "effective_from": "2026-05-01"})
    async with world.company.chat.database.begin() as tx:
        await tx.people.set_roles(world.company.chat.people["chen"].id, [role])
    writes, decides = role not in BESIDE_AUTHORS, role in DECIDING
    assert (await world.get("chen", "/rules"))[0] == 200
    assert (await world.get("chen", "/rules/1"))[0] == 200
    assert (await world.get("chen", f"/rules/{number}"))[0] == (200 if decides else 404)
    edit = (await world.get("chen", f"/rules/{number}/edit"))[0]
    assert edit == (200 if writes else 403 if decides else 404)
    assert (await world.get("chen", f"/rules/{number}/graph.json"))[0] == (200 if decides else 404)
    body = {"rules": [{**FLAT, "version": 2, "effective_from": "2026-05-01"}], "revision": 0}
    for path in ("check", "save"):
        status, _ = await world.call("chen", f"/rules/{number}/{path}", body)
        assert (status == 200) is writes, path
    for move in ("simulate", "submit"):
        status, _ = await world.post("chen", f"/rules/{number}", move=move)
        assert (status == 200) is writes, move
    status, _ = await world.post("chen", "/rules", rule="提成")
    assert (status == 200) is writes
    if not writes:
        assert str((await world.stored(number)).state) == "draft"


async def test_a_call_from_elsewhere_or_without_the_key_does_nothing(world: RuleWorld) -> None:
    number = await world.draft(FLAT)
    body = {"rules": [{**FLAT, "rate_bp": 9}], "revision": 0}
    assert (await world.call("he", f"/rules/{number}/save", body, key="x"))[0] == 403
    browser = await world.browser("he")
    key = await browser.form_key()
    headers = {"X-Form-Key": key, "Origin": "https://elsewhere.example"}
    async with browser.http.post(
        f"{browser.url}/rules/{number}/save", json=body, headers=headers
    ) as answer:
        assert answer.status == 403
    status, _ = await browser.post(f"/rules/{number}", move="drop", form_key="x")
    assert status == 403
    stranger = world.website.browser()
    async with stranger.http.post(f"{stranger.url}/rules/{number}/save", json=body) as answer:
        assert answer.status == 401
    change = await world.stored(number)
    assert (change.revision, str(change.state)) == (0, "draft")
