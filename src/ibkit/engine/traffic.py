"""Writes what goes over the wire into the log, message by message, for those who look for a fault.

Logger ``ibkit.engine.traffic``, level DEBUG: ``util.logToConsole(logging.DEBUG)`` shows it. It reads along with a
reader and a codec of its own, so that nothing is slower, or counted twice, for it. Must not know what messages mean.
"""

from __future__ import annotations

import logging

from ibkit.errors import ProtocolError
from ibkit.wire import Codec, FrameReader, Role
from ibkit.wire import messages as m

logger = logging.getLogger("ibkit.engine.traffic")


class Traffic:
    """What one connection receives; what it sends is given to ``sent``."""

    def __init__(self) -> None:
        self._frames = FrameReader()
        self._codec: Codec | None = None
        self._seen = 0

    def received(self, data: bytes, before: int, pending: int, version: int) -> None:
        """Write down the messages that are whole now.

        Args:
            data: what was read.
            before: how many bytes were read before it.
            pending: how many of them belong to a message that is not whole.
            version: of the server; 0 before it is known.
        """
        if before != self._seen:  # nobody wanted to see what came in between
            if pending:
                return  # begin with a message that begins here
            self._frames = FrameReader()
        self._seen = before + len(data)
        self._frames.feed(data)
        try:
            while (body := self._frames.next()) is not None:
                logger.debug("<<< %s", self._read(body, version))
        except ProtocolError as error:  # the session ends by it, and says so
            logger.debug("<<< %s", error)

    def _read(self, body: bytes, version: int) -> object:
        if not version:
            return body
        if self._codec is None:
            self._codec = Codec(Role.CLIENT, version)
        try:
            return self._codec.decode(body)
        except ProtocolError as error:
            return error


def sent(message: m.Request) -> None:
    """Write down a request."""
    logger.debug(">>> %s", message)
