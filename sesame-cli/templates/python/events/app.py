"""@DESCRIPTION@."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.events import Event
from wit_world.imports import notification
from wit_world.imports.notification import Urgency

# What it says of each event: a title, and a text with the values of the event.
TEXTS = {
@EVENT_ARMS@
}


class Events(exports.Events):
    """The events that wake the extension."""

    def handle(self, event: Event) -> None:
        if event.name not in TEXTS:
            return  # One that this version does not know.
        title, text = TEXTS[event.name]
        for name, value in event.values:
            text = text.replace(f"{{{name}}}", in_words(value.value))
        try:
            notification.show(title, text, Urgency.NORMAL)
        except Err as error:
            raise Err(f"the notification is not shown: {error.value}") from error


def in_words(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
