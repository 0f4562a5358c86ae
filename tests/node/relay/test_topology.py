"""Names on a hub's broker: every one carries the hub's id, and no two are the same."""

from __future__ import annotations

import re

from node.relay.topology import QUORUM, Hub
from protocol.identifiers import NodeId

YUNZHOU = Hub(NodeId("yunzhou"))
CHILDREN = [NodeId("donghu"), NodeId("xishan")]


def test_names_are_those_of_the_manual() -> None:
    up, down = YUNZHOU.up, YUNZHOU.down(NodeId("donghu"))
    assert (up.exchange, up.name, up.key) == ("zt.yunzhou.up", "zt.yunzhou.in", "in")
    assert up.dead == "zt.yunzhou.dead"
    assert (down.exchange, down.name) == ("zt.yunzhou.down", "zt.yunzhou.to.donghu")
    assert (down.key, down.dead) == ("donghu", "zt.yunzhou.to.donghu.dead")
    assert YUNZHOU.dead_exchange == "zt.yunzhou.dead"
    up, down = YUNZHOU.up_blobs, YUNZHOU.down_blobs(NodeId("donghu"))
    assert (up.exchange, up.name, up.key) == ("zt.yunzhou.up", "zt.yunzhou.blob", "blob")
    assert (down.exchange, down.name) == ("zt.yunzhou.down", "zt.yunzhou.to.donghu.blob")
    assert down.key == "donghu.blob"


def test_a_hub_has_two_queues_for_itself_and_two_for_each_child() -> None:
    own = ["zt.yunzhou.in", "zt.yunzhou.blob"]
    below = [f"zt.yunzhou.to.{child}{lane}" for child in CHILDREN for lane in ("", ".blob")]
    assert [queue.name for queue in YUNZHOU.queues(CHILDREN)] == own + below
    assert [queue.name for queue in YUNZHOU.queues([])] == own


def test_pieces_that_kill_their_consumer_go_where_messages_go_that_did() -> None:
    child = NodeId("donghu")
    assert YUNZHOU.up_blobs.dead == YUNZHOU.up.dead
    assert YUNZHOU.down_blobs(child).dead == YUNZHOU.down(child).dead


def test_no_two_queues_of_hubs_on_one_broker_have_the_same_name() -> None:
    # Names that look like parts of others: ids may hold hyphens and may be another's beginning.
    offices = [
        NodeId(name) for name in ("in0", "dead", "blob", "to0", "yunzhou", "yunzhou-in", "yun")
    ]
    names = [
        name
        for office in offices
        for queue in Hub(office).queues([other for other in offices if other != office])
        for name in {queue.name, *([] if queue.name.endswith(".blob") else [queue.dead])}
    ]
    assert len(set(names)) == len(names)


def test_every_dead_letter_queue_belongs_to_the_reader_of_the_queue_beside_it() -> None:
    for queue in YUNZHOU.queues(CHILDREN):
        reader = queue.name.removesuffix(".in").removesuffix(".blob")
        assert queue.dead == f"{reader}.dead"


def test_names_hold_nothing_that_a_pattern_or_an_address_would_read_otherwise() -> None:
    for queue in YUNZHOU.queues(CHILDREN):
        for name in (queue.name, queue.dead, queue.exchange, queue.key):
            assert re.fullmatch(r"[a-z0-9.-]+", name)


def test_queues_are_quorum_queues_and_everything_else_is_left_to_policies() -> None:
    assert QUORUM == {"x-queue-type": "quorum"}
