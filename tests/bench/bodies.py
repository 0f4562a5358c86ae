"""The texts that every measurement sends: reports of the size offices write."""

import json
import random

PHRASES = (
    "近年来我区老旧小区加装电梯工作稳步推进，但低层住户意见不一的情况较为普遍",
    "部分乡镇卫生院药品目录与县级医院不衔接，慢性病患者往返取药负担较重",
    "据走访了解，农村公路养护资金主要依靠县级财政，日常保洁和小修难以及时到位",
    "不少小微企业反映，惠企政策申报入口分散，材料重复提交，兑现周期偏长",
    "学校周边上下学时段车辆集中，接送等候区不足，存在交通安全隐患",
    "社区养老服务站点覆盖率提高较快，但专业护理人员流动性大、待遇偏低",
    "秋季秸秆集中处理能力不足，收储运体系不健全，综合利用企业开工不足",
    "建议由主管部门牵头建立联席会议制度，明确责任单位和完成时限",
    "建议将该项工作纳入年度民生实事，安排专项资金并公开进展情况",
    "建议完善信息共享机制，让群众少跑路、数据多跑路，提高办理效率",
    "建议加强监督检查，对落实不力的单位予以通报，并向反映人反馈办理结果",
    "造成上述问题的主要原因，一是底数不清，二是标准不一，三是部门之间缺少协同",
)
# Chinese characters take three bytes each in UTF-8.
PARTS = {"situation": 450, "causes": 240, "proposals": 310}


def bodies(count: int) -> list[bytes]:
    """So many different texts of about 3 kB of JSON each, the same at every call."""
    chance = random.Random(20)
    return [_body(number, chance) for number in range(count)]


def _body(number: int, chance: random.Random) -> bytes:
    report: dict[str, object] = {
        "number": number,
        "title": f"关于第{number}号社情民意信息的反映",
        "author": f"委员{chance.randrange(10_000):04}",
    }
    for part, length in PARTS.items():
        report[part] = _text(length, chance)
    return json.dumps(report, ensure_ascii=False).encode()


def _text(length: int, chance: random.Random) -> str:
    text = ""
    while len(text) < length:
        text += f"{chance.choice(PHRASES)}（{chance.randrange(1_000)}）。"
    return text[:length]
