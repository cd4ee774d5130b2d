"""Lines about the weather, from the answers of Open-Meteo."""

from dataclasses import dataclass
from typing import Any

# The codes of the World Meteorological Organization that Open-Meteo uses.
WORDS = {
    0: "clear sky",
    1: "mainly clear",
    2: "partly cloudy",
    3: "overcast",
    45: "fog",
    48: "freezing fog",
    51: "light drizzle",
    53: "drizzle",
    55: "dense drizzle",
    56: "light freezing drizzle",
    57: "freezing drizzle",
    61: "light rain",
    63: "rain",
    65: "heavy rain",
    66: "light freezing rain",
    67: "freezing rain",
    71: "light snow",
    73: "snow",
    75: "heavy snow",
    77: "snow grains",
    80: "light showers",
    81: "showers",
    82: "violent showers",
    85: "light snow showers",
    86: "heavy snow showers",
    95: "thunderstorm",
    96: "thunderstorm with hail",
    99: "thunderstorm with heavy hail",
}


@dataclass(frozen=True)
class Units:
    """The units of a report, with their names at Open-Meteo."""

    temperature: str
    speed: str
    query: dict[str, str]


UNITS = {
    "metric": Units("°C", "m/s", {"wind_speed_unit": "ms"}),
    "imperial": Units("°F", "mph", {"wind_speed_unit": "mph", "temperature_unit": "fahrenheit"}),
}


def words(code: int) -> str:
    """Returns the words for a code; one that is new is shown as it is."""
    return WORDS.get(code, f"weather {code}")


def now(place: str, units: Units, answer: dict[str, Any]) -> str:
    """Returns the line about the current weather."""
    current = answer["current"]
    temperature = round(current["temperature_2m"])
    wind = round(current["wind_speed_10m"])
    sky = words(current["weather_code"])
    return f"{place}: {temperature} {units.temperature}, {sky}, wind {wind} {units.speed}"


def forecast(units: Units, answer: dict[str, Any]) -> list[str]:
    """Returns a line for each day."""
    daily = answer["daily"]
    columns = ("time", "temperature_2m_min", "temperature_2m_max", "weather_code")
    return [
        f"{day}: {round(low)} to {round(high)} {units.temperature}, {words(code)}"
        for day, low, high, code in zip(*(daily[column] for column in columns), strict=True)
    ]
