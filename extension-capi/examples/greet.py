"""Calls an installed extension from Python, with ctypes and nothing else.

    export SESAME_LIBRARY=../../target/capi/libextension_capi.so
    python3 greet.py greeting-extension greet '["World"]'
"""

import ctypes
import json
import os
import sys


class Session:
    """The extensions of this login session."""

    def __init__(self, path):
        self._c = ctypes.CDLL(path)
        # ctypes takes every result for an int, which would cut a pointer in half.
        self._c.sesame_open.restype = ctypes.c_void_p
        self._c.sesame_close.argtypes = [ctypes.c_void_p]
        for name, texts in (("list", 0), ("call", 3), ("last_error", 0)):
            function = getattr(self._c, f"sesame_{name}")
            function.argtypes = [ctypes.c_void_p] + [ctypes.c_char_p] * texts
            # Copies the text, so that it outlives the next call.
            function.restype = ctypes.c_char_p
        self._session = self._c.sesame_open()
        if not self._session:
            self._fail()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._c.sesame_close(self._session)
        self._session = None

    def list(self):
        """The installed extensions."""
        return self._value(self._c.sesame_list(self._session))["extensions"]

    def call(self, name, function, *arguments):
        """Calls a function and returns its value."""
        texts = (text.encode() for text in (name, function, json.dumps(arguments)))
        return self._value(self._c.sesame_call(self._session, *texts))

    def _value(self, answer):
        return self._fail() if answer is None else json.loads(answer)

    def _fail(self):
        raise RuntimeError(self._c.sesame_last_error(self._session).decode())


def main():
    name, function, *arguments = sys.argv[1:]
    with Session(os.environ.get("SESAME_LIBRARY", "libextension_capi.so")) as session:
        print([extension["name"] for extension in session.list()])
        print(session.call(name, function, *json.loads(arguments[0] if arguments else "[]")))


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(str(error))
