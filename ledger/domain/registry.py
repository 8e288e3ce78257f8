"""All events that the ledger stores, by topic; add only.

Stored events never change: a class is found by its `TOPIC`, not by its name or file. A changed event is a new class
with a new version in its topic, and an upcaster in `UPCASTERS` that turns the old stored object into the new one.
"""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import ledger.domain
from ledger.domain.event import Event, Stream


def _stored_classes(cls: type[Event]) -> list[type[Event]]:
    found = [cls] if "TOPIC" in vars(cls) else []
    return found + [each for sub in cls.__subclasses__() for each in _stored_classes(sub)]


for _module in iter_modules(ledger.domain.__path__):
    if not __name__.endswith(f".{_module.name}"):
        import_module(f"ledger.domain.{_module.name}")

# In an order of their own, whichever module was imported first: what is derived from them is compared byte for byte.
EVENT_CLASSES: dict[str, type[Event]] = {
    cls.TOPIC: cls for cls in sorted(_stored_classes(Event), key=lambda cls: cls.__module__)
}
"""Topic → class, of every event that is written today."""


STREAMS: tuple[Stream, ...] = tuple(dict.fromkeys(cls.STREAM for cls in EVENT_CLASSES.values()))
"""Every form of a stream's name."""

SIGNED_TOPICS = tuple(sorted(topic for topic, cls in EVENT_CLASSES.items() if cls.IS_SIGNED))
"""What an officer with a key signs."""


Stored = dict[str, Any]


UPCASTERS: dict[str, tuple[str, Callable[[Stored], Stored]]] = {}
"""Topic no longer written → its successor, and the function that turns the old stored object into the successor's."""
