"""Whose turn it is: start-time fair queueing, as statements within a transaction of the job table.

Every job gets a turn: the one that is being served, or the one after its client's last. In every turn each client that
waits has exactly one job, so nobody is served twice while another one waits. Those of one turn go by when their client
was served last: whoever was first in one turn is first in the next.

Everything here wants the queue to be held (`hold`), so that one process at a time changes the order.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from tronie.service.database import CLIENTS, JOBS, QUEUE

SERVED = sa.func.coalesce(CLIENTS.c.served, 0)
ORDER = (JOBS.c.turn, SERVED, JOBS.c.created, JOBS.c.id)
WITH_CLIENTS = JOBS.outerjoin(CLIENTS, CLIENTS.c.client == JOBS.c.client)
QUEUED = JOBS.c.state == "queued"


@dataclass(frozen=True, slots=True)
class Held:
    """The queue as it stands, for this transaction alone."""

    turn: int
    claims: int


def hold(connection: sa.Connection) -> Held:
    """Until the end of the transaction nobody else changes the order. To be the first statement: who holds a job and
    waits for the queue could wait for ever."""
    row = connection.execute(sa.select(QUEUE.c.turn, QUEUE.c.claims).with_for_update()).one()
    return Held(row.turn, row.claims)


def next_turn(connection: sa.Connection, client: str, held: Held) -> int:
    """The turn of a client's new job, noted as its last."""
    last = connection.scalar(sa.select(CLIENTS.c.turn).where(CLIENTS.c.client == client))
    if last is None:
        connection.execute(sa.insert(CLIENTS).values(client=client, turn=held.turn, served=held.claims))
        return held.turn
    turn: int = max(held.turn, last + 1)
    connection.execute(sa.update(CLIENTS).where(CLIENTS.c.client == client).values(turn=turn))
    return turn


def first_in_order() -> sa.Select[tuple[object, ...]]:
    """The job whose turn it is, held; those that another transaction holds are passed over."""
    return (
        sa.select(JOBS)
        .select_from(WITH_CLIENTS)
        .where(QUEUED)
        .order_by(*ORDER)
        .limit(1)
        .with_for_update(of=JOBS, skip_locked=True, key_share=True)
    )


def serve(connection: sa.Connection, client: str, turn: int, held: Held) -> None:
    """Note that a job is begun."""
    claims = held.claims + 1
    connection.execute(sa.update(QUEUE).values(turn=max(held.turn, turn), claims=claims))
    connection.execute(sa.update(CLIENTS).where(CLIENTS.c.client == client).values(served=claims))


def step_out(connection: sa.Connection, where: sa.ColumnElement[bool]) -> None:
    """Jobs that wait will not be done: those behind them of the same client move up. To be called before they go."""
    gone = connection.execute(
        sa.select(JOBS.c.client, JOBS.c.turn)
        .where(QUEUED, JOBS.c.started.is_(None), where)
        .order_by(JOBS.c.turn.desc())
    ).all()
    for client, turn in gone:
        behind = sa.and_(QUEUED, JOBS.c.client == client, JOBS.c.turn > turn)
        connection.execute(sa.update(JOBS).where(behind).values(turn=JOBS.c.turn - 1))
        connection.execute(sa.update(CLIENTS).where(CLIENTS.c.client == client).values(turn=CLIENTS.c.turn - 1))


def forget_clients(connection: sa.Connection, held: Held) -> None:
    """Those without jobs, as soon as it makes no difference to the order that they were here."""
    others = sa.exists().where(JOBS.c.client == CLIENTS.c.client)
    nobody_waits = ~sa.exists().where(QUEUED)
    connection.execute(sa.delete(CLIENTS).where(~others, sa.or_(CLIENTS.c.turn < held.turn, nobody_waits)))


def places() -> sa.Subquery:
    """`id` and `place` of all that wait: how many come before each."""
    number = sa.func.row_number().over(order_by=ORDER) - 1
    return sa.select(JOBS.c.id, number.label("place")).select_from(WITH_CLIENTS).where(QUEUED).subquery("places")
