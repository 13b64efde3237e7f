"""The two tools of Turnwise's search world, as verl function tools. Replace them by your own: a tool is a typed function.

facts.json: {"entity": {"relation": "value"}}, one world. verl calls these with what the model wrote; a name that is not in the
world finds nothing, which is an observation like any other.
"""

import json
import os

from verl.tools.function_tool import function_tool

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "facts.json")) as file:
    FACTS = json.load(file)


@function_tool
def search(entity: str, relation: str) -> str:
    """Looks a fact up.

    Args:
        entity: Whom or what the fact is about, e.g. Ana.
        relation: Which fact, e.g. mother, birthplace, director, year.
    """
    value = FACTS.get(entity, {}).get(relation)
    return "none" if value is None else f"{entity} {value}"


@function_tool
def calc(first: str, second: str) -> str:
    """Compares two years.

    Args:
        first: A year, e.g. 1961.
        second: Another year.
    """
    if not (first.isdigit() and second.isdigit()) or first == second:
        return "none"
    return "less" if int(first) < int(second) else "more"
