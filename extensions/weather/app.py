"""The weather, from Open-Meteo."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import wit_world
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.events import Event
from wit_world.imports import config_read, notification
from wit_world.imports.notification import Urgency

import report
from web import WebError, get_json

# The most days that Open-Meteo foretells.
MAX_DAYS = 16


@dataclass(frozen=True)
class Place:
    """A place on the map."""

    name: str
    latitude: float
    longitude: float


class WitWorld(wit_world.WitWorld):
    """What `sesame call weather FUNCTION` calls."""

    def now(self) -> str:
        return _answer(lambda: _now(_place_of_settings()))

    def at(self, place: str) -> str:
        return _answer(lambda: _now(_find(place)))

    def forecast(self, days: int) -> list[str]:
        return _answer(lambda: _forecast(days))


class Events(exports.Events):
    """What wakes it."""

    def handle(self, event: Event) -> None:
        if event.name == "time.at":
            _tell(_answer(lambda: _now(_place_of_settings())))


def _tell(weather: str) -> None:
    try:
        notification.show("Weather", weather, Urgency.LOW)
    except Err as error:
        raise Err(f"the notification is not shown: {error.value}") from error


def _answer[T](ask: Callable[[], T]) -> T:
    """Returns what a function returns, and its errors as those of the extension."""
    try:
        return ask()
    except WebError as error:
        raise Err(str(error)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise Err(f"the server answered something else than expected: {error!r}") from error


def _now(place: Place) -> str:
    current = "temperature_2m,weather_code,wind_speed_10m"
    return report.now(place.name, _units(), _ask(place, {"current": current}))


def _forecast(days: int) -> list[str]:
    if not 1 <= days <= MAX_DAYS:
        raise WebError(f"a forecast is for 1 to {MAX_DAYS} days, and not for {days}")
    daily = "weather_code,temperature_2m_min,temperature_2m_max"
    query = {"daily": daily, "forecast_days": str(days)}
    return report.forecast(_units(), _ask(_place_of_settings(), query))


def _ask(place: Place, query: dict[str, str]) -> dict[str, Any]:
    where = {"latitude": f"{place.latitude:g}", "longitude": f"{place.longitude:g}"}
    server = _setting("forecast-api", "https://api.open-meteo.com")
    query = where | query | {"timezone": "auto"} | _units().query
    return get_json(server, "/v1/forecast", query)


def _place_of_settings() -> Place:
    name = _setting("place", "Oslo")
    latitude, longitude = config_read.get("latitude"), config_read.get("longitude")
    if latitude is None or longitude is None:
        return _find(name)
    return Place(name, _degrees("latitude", latitude), _degrees("longitude", longitude))


def _find(name: str) -> Place:
    """Looks a place up by its name."""
    server = _setting("geocoding-api", "https://geocoding-api.open-meteo.com")
    found = get_json(server, "/v1/search", {"name": name, "count": "1"}).get("results")
    if not found:
        raise WebError(f"`{name}` is not on the map: write a town, or set latitude and longitude")
    return Place(found[0]["name"], found[0]["latitude"], found[0]["longitude"])


def _units() -> report.Units:
    name = _setting("units", "metric")
    units = report.UNITS.get(name)
    if units is None:
        raise WebError(
            f"the setting `units` is `{name}`: sesame extension set weather units=metric"
        )
    return units


def _degrees(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        example = f"sesame extension set weather {key}=59.9"
        raise WebError(
            f"the setting `{key}` is `{text}`, which is not a number: {example}"
        ) from None


def _setting(key: str, default: str) -> str:
    return config_read.get(key) or default
