"""The base of all operators.

Must not know any particular operator.
"""

from __future__ import annotations

from typing import Any

from ibkit.emitter import NO_VALUE, Emitter
from ibkit.events import Event


def unpack(args: tuple[Any, ...]) -> Any:
    """What an emission counts as: the argument itself if it is one, else all as a tuple."""
    return args[0] if len(args) == 1 else args if args else NO_VALUE


class Op(Event):
    """An event that is fed by another one; override ``on_source`` to make your own operator.

    When the source ends, so does the operator.
    """

    def __init__(self, source: Emitter | None = None) -> None:
        super().__init__(type(self).__name__.rstrip("_").lower())
        self._source: Emitter | None = None
        if source is not None:
            self.set_source(source)

    def set_source(self, source: Emitter) -> None:
        """Take input from ``source``; in a chain of operators it becomes the source of the first."""
        if isinstance(self._source, Op):
            self._source.set_source(source)
            return
        if self._source is not None:
            self.disconnect_from(self._source)
        self._source = source
        if source.done():
            self.on_source_done(source)
        else:
            source.connect(self.on_source, self.on_source_error, self.on_source_done, keep_ref=True)

    def on_source(self, *args: Any) -> None:
        """Take one emission of the source."""
        self.emit(*args)

    def on_source_error(self, source: Emitter, error: BaseException) -> None:
        """Take an error of the source."""
        self.error_event.emit(source, error)

    def on_source_done(self, source: Emitter) -> None:
        """Take the end of the source."""
        self.end()

    def end(self) -> None:
        """Let go of the source and be done."""
        if self._source is not None:
            self.disconnect_from(self._source)
            self._source = None
        self.set_done()

    def disconnect_from(self, source: Emitter) -> None:
        """Stop listening to ``source``."""
        source.disconnect(self.on_source, self.on_source_error, self.on_source_done)
