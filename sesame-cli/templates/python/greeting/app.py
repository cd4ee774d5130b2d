"""Greets people."""

import wit_world
from wit_world.imports import config_read


class WitWorld(wit_world.WitWorld):
    """The exports of the extension."""

    def greet(self, name: str) -> str:
        template = config_read.get("greeting.template") or "Hello, {}!"
        return template.replace("{}", name)
