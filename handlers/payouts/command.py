"""`gendan payouts`: compute, pack and verify from files, with no database."""

from __future__ import annotations

import gc
import mimetypes
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.domain.payouts.checking import absent_fields, notices
from bot.domain.payouts.computing import compute
from bot.domain.payouts.money import yuan
from bot.domain.payouts.versions import RuleBook
from bot.domain.payouts.words import in_words
from bot.errors import InvalidInput
from handlers.payouts import archives, as_json, documents
from handlers.payouts.packs import FIRST, Attachment, write_pack
from handlers.payouts.verifying import verify

app = typer.Typer(help="奖金：按规则计算、导出证据包、核验")

Rules = Annotated[Path, typer.Option(help="规则文件(JSON)")]
Deals = Annotated[Path, typer.Option(help="单据文件(JSON)：合同、事件、口径")]


@app.command("compute")
def payouts_compute(rules: Rules, deals: Deals) -> None:
    """按规则计算每一笔奖金，逐行说明；断崖等提醒写到标准错误。"""
    gc.disable()  # millions of records, none in a cycle, and the process ends after them
    read = documents.to_rules(documents.load(rules))
    facts = documents.to_facts(documents.load(deals))
    documents.check_together(read, facts)
    for notice in [*notices(read), *absent_fields(read, facts.deals)]:
        typer.echo(f"提醒 {notice}", err=True)
    for text in as_json.printed(as_json.result_to_json(compute(RuleBook(read), facts))):
        sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


@app.command("words")
def payouts_words(rules: Rules) -> None:
    """把每条规则写成一句能读懂的话。"""
    for rule in documents.to_rules(documents.load(rules)):
        typer.echo(in_words(rule))


@app.command("pack")
def payouts_pack(
    *,
    rules: Rules,
    deals: Deals,
    person: Annotated[str, typer.Option(help="给谁的奖金")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="写到哪个 .zip 文件")],
    attach: Annotated[list[Path] | None, typer.Option(help="附件，可多次")] = None,
    previous: Annotated[str, typer.Option(help="上一个证据包的链头(64 位十六进制)")] = FIRST,
) -> None:
    """导出一个人的证据包，并写出它的链头。不覆盖已有的文件。"""
    if not re.fullmatch(r"[0-9a-f]{64}", previous):
        raise InvalidInput("--previous：应是 64 位小写十六进制")
    pack = write_pack(
        documents.load(rules),
        documents.load(deals),
        person,
        attachments=[_attachment(each) for each in attach or ()],
        previous=previous,
    )
    try:
        with file.open("xb") as target:
            target.write(pack.content)
    except FileExistsError:
        raise InvalidInput(f"{file}：已经存在，不覆盖") from None
    typer.echo(pack.head)


@app.command("verify")
def payouts_verify(
    pack: Annotated[Path, typer.Argument(metavar="PACK", help="证据包，.zip 文件")],
) -> None:
    """只凭证据包重算并核对哈希；不成立时说明差异，退出码为 1。"""
    verdict = verify(_bounded(pack, archives.MAX_TOTAL_BYTES))
    for finding in verdict.findings:
        typer.echo(finding)
    if verdict.findings:
        raise typer.Exit(1)
    typer.echo(f"成立：{verdict.person} 合计 {yuan(verdict.total_fen)}，链头 {verdict.head}")
    if not verdict.same_wording:
        typer.echo("证据包的文字说明出自另一版程序：金额已重算，文字只核对了哈希")


def _attachment(file: Path) -> Attachment:
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Attachment(file.name, media_type, _bounded(file, archives.MAX_PART_BYTES))


def _bounded(file: Path, limit: int) -> bytes:
    try:
        if file.stat().st_size > limit:
            raise InvalidInput(f"{file}：超过 {limit // 1024 // 1024} MB")
        return file.read_bytes()
    except OSError as problem:
        raise InvalidInput(f"{file}：读不了 ({problem.strerror})") from None
