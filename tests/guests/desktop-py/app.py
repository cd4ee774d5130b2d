"""Uses capabilities from Python.

    mkdir wit/deps
    ln -s ../../../../../wit/host wit/deps/open-sesame-host
    componentize-py -d wit -w desktop-py componentize app -o desktop-py.wasm
"""

import wit_world
from componentize_py_types import Err
from wit_world.imports import config_read, ipc_publish, notification, secret_read
from wit_world.imports import types


def said(error):
    match error:
        case types.Error_Denied(why):
            return f"denied: {why}"
        case types.Error_NotFound():
            return "not found"
        case types.Error_Unavailable(why):
            return f"unavailable: {why}"
        case types.Error_TooLarge(most):
            return f"too large: {most} bytes are the most"
        case types.Error_TooMany():
            return "too many requests in too little time"
        case types.Error_Other(why):
            return why


class WitWorld(wit_world.WitWorld):
    def announce(self, secret: str) -> str:
        try:
            value = secret_read.get(secret)
            title = config_read.get("title") or "Announcement"
            notification.show(title, f"a secret of {len(value)} characters", notification.Urgency.NORMAL)
            ipc_publish.publish("desktop.announced", title)
        except Err as error:
            raise Err(said(error.value))
        return "announced"
