"""The beginning of a connection: the handshake, and what makes the gateway ready to take requests.

Client and gateway agree on a version, the client says who it is (START_API), and the gateway tells the accounts and
the next order id, in any order (protocol README, "Connection"). Must not know what is asked for afterwards.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ibkit.engine.call import Call
from ibkit.errors import HandshakeError
from ibkit.wire import MAX_VERSION, MIN_VERSION, Codec, Role, handshake
from ibkit.wire import messages as m

if TYPE_CHECKING:
    from ibkit.engine.core import Engine, Reducers

logger = logging.getLogger("ibkit.engine")


class Session:
    """How far the beginning has come."""

    def __init__(self) -> None:
        self.ready: Call[None] = Call("the handshake")
        """Done when the gateway takes requests, or has refused."""
        self.time_text = ""
        """The gateway's time when the connection was made."""
        self.accounts: list[str] = []
        self.has_id = False
        self.syncing = False
        """Whether the state is being fetched: what comes in is not news."""
        self.cut_off = False
        """Whether TWS has said that it is cut off from IB."""


def begin(engine: Engine) -> None:
    """Say hello."""
    engine.greet(handshake.client_hello(options=engine.options))


def server_hello(engine: Engine, body: bytes) -> None:
    """Take the gateway's version and say who we are; raises HandshakeError."""
    hello = handshake.read_server_hello(body)
    if not MIN_VERSION <= hello.version <= MAX_VERSION:
        raise HandshakeError(
            f"{engine.name} speaks server version {hello.version}, this library {MIN_VERSION} to {MAX_VERSION}: "
            "update TWS or IB Gateway"
        )
    engine.version = hello.version
    engine.session.time_text = hello.time_text
    engine.speak(Codec(Role.CLIENT, hello.version))
    engine.send(m.StartApi(engine.client_id, engine.capabilities))
    logger.info("connected to %s, server version %d", engine.name, hello.version)


def next_valid_id(engine: Engine, msg: m.NextValidId) -> None:
    # The gateway may count from lower than what was sent already (limits.md, 2): an id is never used again.
    engine.state.next_id = max(engine.state.next_id, msg.orderId)
    engine.session.has_id = True
    engine.calls.finish("ids", engine.state.next_id)
    _look(engine)


def managed_accts(engine: Engine, msg: m.ManagedAccts) -> None:
    accounts = [account for account in msg.accountsList.split(",") if account]
    if not engine.ready:
        known = engine.state.account.managed
        if known and accounts and not set(known) & set(accounts):
            logger.warning("%s has other accounts than before: what was known of %s is forgotten", engine.name, known)
            engine.state.reset()
    engine.session.accounts = accounts
    engine.state.account.managed = list(accounts)
    engine.calls.finish("managedAccounts", list(accounts))
    _look(engine)


def _look(engine: Engine) -> None:
    session = engine.session
    if session.has_id and session.accounts and not session.ready.done:
        engine.ready = True
        session.ready.succeed(None)


REDUCERS: Reducers = {m.NextValidId: next_valid_id, m.ManagedAccts: managed_accts}
