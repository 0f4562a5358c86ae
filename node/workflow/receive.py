"""What arrives: each business type goes to the workflow file that holds its other end.

`apply` changes the session of the batch or raises before it has changed anything. It neither
commits nor answers: that is the consumer's work. Messages were verified; whether they came before
was asked already.
"""

from __future__ import annotations

from node.errors import UnsupportedTypeError
from node.workflow import (
    assignments,
    call_changes,
    calls,
    certificates,
    feedback,
    handling,
    notes,
    places,
    purges,
    ratings,
    revocation_lists,
    submissions,
    withdrawals,
)
from node.workflow.intake import Intake
from protocol.envelope import Opened


async def apply(intake: Intake, message: Opened) -> bool:
    """Carry out one message; False when its subject is not known here, and it must wait.

    Raises a `ZhitongError` when it is refused.
    """
    if intake.is_purged(message):
        await purges.turn_away(intake, message)
        return True
    match message.name:
        case "submission":
            await submissions.receive(intake, message)
            return True
        case "revision":
            if message.event.subject not in intake.items:
                return False
            await submissions.receive(intake, message)
            return True
        case "withdrawal":
            return await withdrawals.receive(intake, message)
        case "feedback":
            return await feedback.receive(intake, message)
        case "solicitation" | "topic_guide" | "circular":
            await calls.receive(intake, message)
            return True
        case "call_change":
            return await call_changes.receive(intake, message)
        case "read":
            await calls.receive_read(intake, message)
            return True
        case "assignment":
            await assignments.receive(intake, message)
            return True
        case "outcome" | "hand_back_request":
            return await handling.receive_answer(intake, message)
        case "verdict":
            return await handling.receive_verdict(intake, message)
        case "note":
            return await notes.receive(intake, message)
        case "rating":
            return await ratings.receive(intake, message)
        case "certificate_request":
            await certificates.receive_request(intake, message)
            return True
        case "certificate":
            await certificates.receive(intake, message)
            return True
        case "issuers":
            await places.receive(intake, message)
            return True
        case "revocations":
            await revocation_lists.receive(intake, message)
            return True
        case "purge":
            return await purges.receive(intake, message)
        case "purged":
            return await purges.confirm(intake, message)
        case _:
            raise UnsupportedTypeError(f"{message.name} is not handled by this version")
