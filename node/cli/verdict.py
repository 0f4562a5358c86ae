"""Printing what a file of evidence proves, and what it does not, in words for people."""

from __future__ import annotations

from datetime import datetime

from node.cli.common import moment
from node.workflow import phrases
from protocol.envelope import Opened
from protocol.messages.facts import Forwarded
from protocol.messages.items import Edition, Withdrawal
from protocol.revocation import Revocation
from protocol.verdict import Flaw, Spoken, Stated, Verdict

RULES = {
    2: "本机关发出的，须由本机关签名",
    3: "本机关收到的，须由上级签名并发给本机关",
    4: "都须关于这一件信息，且不重复",
    5: "发出的须是本机关的稿件、撤回请求或办理记录",
    6: "办理记录须由作出决定的机关签名",
    7: "回执须由上级签名，并写明收到的正是这一份",
    8: "每个机关的办理记录须从 1 起连续编号",
    9: "写明上报过的稿件须在文件中",
    10: "吊销名单须由这条路径上的签发机关签名，每个机关一份",
    11: "证书后来被吊销或暂停的，须能证明在此之前就有",
    12: "关于合并稿的办理记录，须在写明合并之后",
}


def print_verdict(verdict: Verdict) -> None:
    """What is proven, what is not, what is wrong, and the conclusion."""
    print(f"信息 {verdict.item}，凭证出自 {verdict.path or verdict.office}\n")
    print("已证明：")
    for spoken in verdict.spoken:
        _print_spoken(spoken)
    for stated in sorted(verdict.facts, key=_order):
        _print_stated(stated)
    for known in verdict.lists:
        print(
            f"  ✓ {known.issuer} 的吊销名单第 {known.number} 号，"
            f"{moment(known.issued_at)} 签发，列 {len(known.revoked)} 份证书"
        )
    if not verdict.spoken and not verdict.facts:
        print("  （没有）")
    print("\n没有证明：")
    for sentence in _unproven(verdict):
        print(f"  － {sentence}")
    if verdict.flaws:
        print("\n有误：")
        for flaw in verdict.flaws:
            print(f"  ✗ {_flaw(flaw)}")
        print(f"\n结论：有 {len(verdict.flaws)} 处差错，这份凭证不能采信。")
    else:
        print("\n结论：没有差错。请确认上面各机关的路径就是您所认可的机关。")


def _print_spoken(spoken: Spoken) -> None:
    message = spoken.message
    above = message.event.addressee
    match message.data:
        case Edition() as edition:
            print(f"  ✓ {message.path} 向 {above} 报送第 {edition.edition} 稿《{edition.title}》")
            for author in edition.authors:
                print(f"      作者：{author.name}（{author.unit}）")
            for file in edition.attachments:
                print(f"      附件：{file.name}，{file.size} 字节，SHA-256 {file.digest}")
        case Withdrawal() as withdrawal:
            reason = " ".join(withdrawal.reason.split())
            print(f"  ✓ {message.path} 请求 {above} 退还，理由：{reason}")
    print(f"      内容的 SHA-256：{message.digest}")
    print(f"      {_times(message.event.time, message.signed_at)}")
    if spoken.receipt is not None:
        receipt = spoken.receipt
        print(f"      ✓ {receipt.path} 签名确认收到，签名于 {moment(receipt.signed_at)}")
    if message.revocation is not None:
        print(f"      {_revoked(message.revocation)}，回执证明此前已送达，仍然有效")


def _print_stated(stated: Stated) -> None:
    fact = stated.proven.fact
    data = fact.model_dump(mode="json", exclude_none=True)
    # In one line: a text with line breaks could imitate a line of ours.
    said = phrases.sentence(data["kind"], data, fact.office.name, combined=bool(stated.merges))
    sentence = " ".join(said.split())
    print(f"  ✓ {stated.proven.path}（第 {fact.sequence} 条）：{sentence}")
    carriers = [str(carrier.node) for carrier in reversed(stated.proven.carriers)]
    through = f"，经 {'、'.join(carriers)} 转来" if carriers else ""
    print(f"      {_times(fact.at, stated.proven.signed_at)}{through}")
    for _, revocation in stated.proven.revoked:
        print(f"      {_revoked(revocation)}，转来的机关写明此前已收到，仍然有效")


def _revoked(revocation: Revocation) -> str:
    state = "暂停" if revocation.hold else "吊销"
    return f"注意：{revocation.node} 的证书已{state}，自 {moment(revocation.since)} 起不算数"


def _times(said: datetime, signed: datetime) -> str:
    return f"写明时间 {moment(said)}，签名于 {moment(signed)}"


def _order(stated: Stated) -> tuple[int, str, int]:
    # Each office's facts in the order that its own numbers give, the author's office first.
    path = stated.proven.path
    return -len(path.offices), path.node, stated.proven.fact.sequence


def _unproven(verdict: Verdict) -> list[str]:
    found = []
    for spoken in verdict.spoken:
        if spoken.receipt is None:
            message = spoken.message
            found.append(f"{message.event.addressee} 收到了{_called(message)}：没有它的回执。")
    found += [
        f"这件信息的内容写进了合并稿 {merge.into}：只有 {merge.office} 声明如此，由它负责。"
        for merge in verdict.vouched
    ]
    for stated in verdict.passed_on:
        fact = stated.proven.fact
        assert isinstance(fact, Forwarded)
        found.append(
            f"{fact.office.id} 向 {fact.to.id} 上报了什么内容：那份消息不下发，这里只有它的声明。"
        )
    found += [
        "没有更新的办理记录：每个机关最后的几条若被拿掉，从编号上看不出来。",
        "时间：都是签名者自己写明的，两个机关写明的时间可以互相印证。",
        f"{verdict.office} 的各份写成于何时：它们在导出时才签名。有回执的，至迟在回执签名之时。",
        *_unlisted(verdict),
    ]
    editions = [s.message.data for s in verdict.spoken if isinstance(s.message.data, Edition)]
    if any(edition.attachments for edition in editions):
        found.append("附件本身：文件里只有摘要，请用 sha256sum 与原件比对。")
    return found


def _unlisted(verdict: Verdict) -> list[str]:
    listed = {known.key for known in verdict.lists}
    issuers = verdict.path.issuers if verdict.path is not None else ()
    found = [
        f"{issuer.node} 签发的证书没有被吊销：文件里没有它的吊销名单。"
        for issuer in issuers
        if issuer.key not in listed
    ]
    if listed:
        found.append("名单签发之后没有再吊销：更新的名单若未放入，从文件里看不出来。")
    return found


def _called(message: Opened) -> str:
    if isinstance(message.data, Edition):
        return f"第 {message.data.edition} 稿"
    return "撤回请求"


def _flaw(flaw: Flaw) -> str:
    return f"规则 {flaw.rule}（{RULES[flaw.rule]}）：{flaw.where}，{flaw.detail}"
