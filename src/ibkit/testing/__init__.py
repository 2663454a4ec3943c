"""For the tests of your own programs: pytest fixtures, and a peer that says what you script.

In a ``conftest.py``::

    from ibkit.testing import gateway, ib, virtual

* ``gateway``: a paper gateway on a free port, fresh for each test
* ``ib``: an IB that is connected to it
* ``virtual``: a world with an IB on a virtual clock: ``virtual.ib.sleep(3600)`` takes no time at all
* ``ScriptedPeer``: a server whose every answer you decide, to test what a real one seldom does
"""

from typing import TYPE_CHECKING

from ibkit.testing.peer import ScriptedPeer
from ibkit.testing.world import Virtual, virtual_world

if TYPE_CHECKING:
    from ibkit.testing.fixtures import gateway, ib, virtual

__all__ = ["ScriptedPeer", "Virtual", "gateway", "ib", "virtual", "virtual_world"]


def __getattr__(name: str) -> object:
    # The fixtures need pytest, the rest does not.
    if name in ("gateway", "ib", "virtual"):
        from ibkit.testing import fixtures

        return getattr(fixtures, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
