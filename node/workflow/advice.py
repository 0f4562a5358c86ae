"""What a person can do about a refusal: one sentence for each code, for either end of the link."""

from __future__ import annotations

UPGRADE = "对方的程序版本较旧，升级后会自动收下；本机关会继续重发，无需处理。"
CLOCK = "签名时间与对方时钟相差太大：请核对两地时钟，程序会自动重新签名发送。"
CERTIFICATE = "对方不认可本机关的证书：请核对本机关证书是否到期，必要时向上级重新申请。"
FORM = "消息不合规范，重发也不会被接受：请把代码告诉对方和本系统的维护人员。"

TO_SENDER = {
    "message.unsupported": UPGRADE,
    "envelope.type": UPGRADE,
    "envelope.time": CLOCK,
    "message.incarnation": "本机关可能是从旧备份恢复的，对方已见过更新的：请立即停机核查。",
    "message.poison": "对方处理时出错：请联系对方管理员，程序改正后在其隔离区重新收取即可。",
    "message.altered": "对方已收到编号相同、内容不同的消息：请立即核查本机关是否从旧备份恢复。",
    "message.properties": "途中的投递信息与签名内容不符：请检查消息服务器的账号设置。",
    "office.unknown": "对方没有登记本机关：请对方先为本机关办理准入，再在其隔离区重新收取。",
    "item.taken": "这件信息的编号已由其他机关报送：请联系对方编辑核对。",
    "item.classified": "涉密信息不得在本系统传输：请立即停止使用该件，按保密规定线下办理并报告。",
    "link.ending": "对方已不隶属于本机关：请改报现在的上级；对方仍只收取以前往来信息的后续。",
    "link.not_sent": "这件信息没有经过本机关，对方不接收对它的反馈：请核对信息编号。",
    "link.level": "对方的线路不传这一公开范围的信息：请改走别的渠道，或请对方管理员调整后重收。",
    "item.state": "对方那里这件信息的状态不允许这一步：请联系对方编辑核对。",
    "fact.conflict": "对方已收到同一序号的另一办理结果：请核查本机关是否从旧备份恢复。",
    "evidence.refused": "随附的上级签名不能证明这项内容：请联系对方管理员核对证书。",
    "envelope.suspended": "随附的原机关证书正在暂停：恢复后程序会自动重发，无需处理。",
    "revocations.stale": "对方久未收到上级的吊销名单：请核查上下级之间的线路，程序会继续重发。",
    "issuers.refused": "所告知的上级变动不能核验：请核查本机关的签发证书和根证书。",
    "revocations.refused": "所转的吊销名单不能核验：请核对签发它的机关和本机关的根证书。",
    "envelope.chain": CERTIFICATE,
    "envelope.expired": CERTIFICATE,
    "envelope.stranger": CERTIFICATE,
    "envelope.data": FORM,
    "certificate.request": "证书申请不合格：请重新申请（keys rotate）；仍被拒收的，联系维护人员。",
    "certificate.name": "申请的不是本机关的证书：请核查本机关的配置和密钥。",
    "certificate.issuing": "签发证书不是上级在这把密钥上签发的：请重新办理准入，不能直接换发。",
    "certificate.unasked": "对方没有用这把密钥申请过证书，可能已从备份恢复：请对方重新申请。",
    "certificate.path": "发出的证书与对方所在的层级不符：请核查本机关的签发证书。",
    "envelope.payload": FORM,
}

TO_RECEIVER = {
    "link.ending": "原上级交来了新的工作，本机关已不归其管理：请告知对方，并作废这条消息。",
    "link.not_sent": "原上级说的是没有报给它的信息：可能是误发或冒用，请与对方核实后作废。",
    "link.level": "超出本机关为这条线路设定的可传范围：可以接收的，调整范围后重新收取，否则作废。",
    "item.classified": "来件标有密级，本机关未留存内容：请对方走机要渠道，并按保密规定报告。",
    "message.unsupported": "升级本机关的程序，然后重新收取；对方也会继续重发。",
    "envelope.type": "升级本机关的程序，然后重新收取；对方也会继续重发。",
    "envelope.time": "核对本机关的时钟，然后重新收取；对方也会重新签名发送。",
    "message.incarnation": "对方可能是从旧备份恢复的：请先与对方核实，不要急于重新收取。",
    "message.poison": "把日志交给维护人员；程序改正后重新收取。",
    "message.altered": "编号相同、内容不同：请与对方核实后作废，不要重新收取。",
    "message.properties": "检查消息服务器上对方的账号设置，改正后重新收取。",
    "receipt.mismatch": "回执与本机关所发的消息不符：请立即与对方核实是否被冒用，然后作废。",
    "office.unknown": "先为对方办理准入，然后重新收取。",
    "envelope.revoked": "签名所用的证书已吊销，可能有人冒用：与该机关核实，不要重新收取。",
    "envelope.suspended": "签名机关正在暂停：恢复后对方会重发，也可以重新收取。",
    "issuers.refused": "所称的上级变动不是本机关的签发机关所签，可能有人冒用：核实后作废。",
    "revocations.refused": "吊销名单不是上下级的签发机关所签，可能是伪造：核实后作废。",
    "revocations.stale": "久未收到上级的吊销名单：先核查线路，收到后对方会重发，也可以重新收取。",
    "envelope.chain": "来历不明：签名不属于本系统的机关，核实后作废。",
    "envelope.path": "证书链中同一机关出现两次，可能有人冒用签发证书：请立即报告上级，然后作废。",
    "envelope.stranger": "签名者不是上级，也不是本机关签发的下级：核实后作废。",
    "certificate.name": "发送方为其他机关申请证书：请立即与对方核实，然后作废。",
    "certificate.unasked": "本机关没有用这把密钥申请过证书：作废；确需换发的，重新申请。",
    "certificate.path": "证书与本机关所在的层级不符：请与上级核实，然后作废。",
    "envelope.recipient": "这是发给其他机关的消息：查明为何送到这里，然后作废。",
    "envelope.signature": "内容与签名不符，可能被改动：核实后作废，请对方重发。",
}


def to_sender(code: str, *, permanent: bool) -> str:
    """What the office whose message was refused can do."""
    if code in TO_SENDER:
        return TO_SENDER[code]
    if permanent:
        return "对方不接受这份消息，不会再重发：请联系对方管理员，必要时由其在隔离区重新收取。"
    return "对方暂时不能接受，程序会继续重发，无需处理。"


def to_receiver(code: str, *, permanent: bool) -> str:
    """What the office that refused a message can do."""
    if code in TO_RECEIVER:
        return TO_RECEIVER[code]
    if permanent:
        return "与发送方核实；原因消除后可以重新收取，确属无效的请作废。"
    return "原因消除后可以重新收取；对方也会继续重发。"
