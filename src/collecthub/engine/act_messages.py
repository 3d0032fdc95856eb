"""Acts asked over a partner's own line: SFTP, SOAP or whatever carries exchanges; what we say goes back the same way."""

from __future__ import annotations

from collecthub.engine import act_desk
from collecthub.engine.composing import put_into_envelope
from collecthub.engine.context import Hub, Work
from collecthub.engine.peer_outbox import send_back
from collecthub.errors import PermanentError, QuarantineError
from collecthub.model.act import ACTS, unsent
from collecthub.model.exchange import CaseFile, CaseInstruction, InstructionCode, Message
from collecthub.registers import ConnectorRole
from collecthub.store.connections import ConnectionRow, read_connection
from collecthub.store.queries.scope import NotThereError

_ANSWERS = (InstructionCode.COST_APPROVED, InstructionCode.COST_REFUSED)


def take_act_message(hub: Hub, work: Work, row: ConnectionRow, message: Message) -> bool:
    """Take a request for an act, or the answer to its price; false for any other message.

    Raises `QuarantineError` for a request that cannot be taken, with what to correct.
    """
    partner_id = row.partner_id or ""
    try:
        if isinstance(message, CaseFile) and any(order.code in ACTS for order in message.orders):
            act_desk.take_request(hub, work, partner_id, message, connection_id=row.connection_id)
            return True
        if isinstance(message, CaseInstruction) and message.code in _ANSWERS:
            act_desk.decide_quote(work, partner_id, message)
            return True
    except NotThereError:
        return False  # the answer is about a case of ours, or about nothing
    except PermanentError as error:
        raise QuarantineError(error.message, code="act.request", cure=error.cure, reference=message.case_id) from error
    return False


def send_replies(hub: Hub, act_id: str) -> None:
    """Put what we have said about an act since the last time on the line by which it was asked."""
    with hub.work() as work:
        act = act_desk.held_act(work, act_id)
        said = unsent(act)
        row = read_connection(work.conn, act.connection_id) if act.connection_id else None
        if row is None or not said:
            return
        act_desk.mark_sent(work, act)
        if row.role == ConnectorRole.PARTNER.value:
            put_into_envelope(hub, work, row, said)
            work.wake("dispatch", row.connection_id)
        else:  # another hub fetches what waits for it
            send_back(hub, work, act.partner_id, said)
