"""The TWS protocol as data: bytes to messages and back, both roles, both encodings, all server versions.

``Codec`` is the way in; ``messages`` holds a record for every message, ``tables/`` describes them all.
Must not know connections, engines or users.
"""

from ibkit.wire import handshake
from ibkit.wire.codec import Codec, Role, Unknown
from ibkit.wire.framing import FrameReader
from ibkit.wire.handshake import MAX_VERSION, MIN_VERSION

__all__ = ["MAX_VERSION", "MIN_VERSION", "Codec", "FrameReader", "Role", "Unknown", "handshake"]
