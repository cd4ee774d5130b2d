"""Requests over HTTP, with the interfaces of WASI."""

import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from componentize_py_types import Err
from wit_world.imports import outgoing_handler, streams
from wit_world.imports import wasi_http_types as types

# Ten times the longest answer of Open-Meteo to what this extension asks.
MAX_ANSWER = 1 << 18
CHUNK = 1 << 16


class WebError(Exception):
    """A request without an answer, in words for the user."""


def get_json(server: str, path: str, query: dict[str, str]) -> dict[str, Any]:
    """Returns the JSON object at an address."""
    status, body = _get(server, f"{path}?{urlencode(query)}")
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if status != 200:
        reason = answer.get("reason") if isinstance(answer, dict) else None
        raise WebError(f"{server} answered {status}" + (f": {reason}" if reason else ""))
    if not isinstance(answer, dict):
        raise WebError(f"{server} did not answer with a JSON object")
    return answer


def _get(server: str, path: str) -> tuple[int, bytes]:
    address = urlsplit(server)
    if address.scheme not in ("http", "https") or not address.netloc:
        raise WebError(f"`{server}` is not a server: write one like https://api.open-meteo.com")
    request = types.OutgoingRequest(types.Fields.from_list([("accept", b"application/json")]))
    request.set_scheme(types.Scheme_Https() if address.scheme == "https" else types.Scheme_Http())
    request.set_authority(address.netloc)
    request.set_path_with_query(address.path.rstrip("/") + path)
    try:
        answer = outgoing_handler.handle(request, None)
        answer.subscribe().block()
        response = _value(answer.get())
    except Err as error:
        raise WebError(f"cannot ask {server}: {_in_words(error.value)}") from error
    return response.status(), _read(server, response)


def _value(answer: Any) -> types.IncomingResponse:
    """Takes the response out of both results that it is wrapped in."""
    while not isinstance(answer, types.IncomingResponse):
        if answer is None:
            raise WebError("there is not an answer yet")
        if isinstance(answer, Err):
            raise answer
        answer = answer.value
    return answer


def _read(server: str, response: types.IncomingResponse) -> bytes:
    whole = b""
    with response.consume() as body, body.stream() as stream:
        while len(whole) <= MAX_ANSWER:
            try:
                whole += stream.blocking_read(CHUNK)
            except Err as error:
                if isinstance(error.value, streams.StreamError_Closed):
                    return whole
                raise WebError(f"{server} broke off its answer") from error
    raise WebError(f"the answer of {server} is longer than {MAX_ANSWER} bytes")


def _in_words(code: Any) -> str:
    """Returns an error code of WASI as words: `ErrorCode_ConnectionRefused` is two of them."""
    name = type(code).__name__.removeprefix("ErrorCode_")
    return "".join(f" {char.lower()}" if char.isupper() else char for char in name).strip()
