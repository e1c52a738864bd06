"""Functions of a home as a client declares them in its Settings, for the tests of the embedded agent."""

from typing import Any


def function(name: str, description: str, required: list[str] | None = None, /, **properties: Any) -> dict[str, Any]:
    needed = list(properties) if required is None else required
    schema = {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}
    return {"name": name, "description": description, "parameters": schema, "defer_until_eot": True}


def reading(name: str, description: str) -> dict[str, Any]:
    return {**function(name, description), "defer_until_eot": False}


def one_of(*values: Any) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


def number(low: float, high: float, type_: str = "integer", **more: Any) -> dict[str, Any]:
    return {"type": type_, "minimum": low, "maximum": high, **more}


DESK_LAMP = function(
    "desk_lamp", "The lamp on the desk. Switches it on or off.", state=one_of("on", "off", "toggle", "pulse")
)
FLOOR_LAMP = function("floor_lamp", "The lamp by the sofa", state=one_of("on", "off", "toggle"))
FAN = function("fan", "The fan in the living room", level=number(0, 100))
STRIP = function(
    "strip", "The LED strip", [], level=number(0, 100, description="In percent."), state=one_of("on", "off")
)
GATE = function("garage_gate", "The gate of the garage", action=one_of("open", "close"))
LOCK = function("front_door_lock", "The lock of the front door", action=one_of("lock", "unlock"))
OPEN_GATE = function("open_gate", "Opens the garden gate")
SET_VOLUME = function("set_volume", "Sets how loud this speaker talks, in percent.", level=number(0, 100))
CHANGE_VOLUME = function(
    "change_volume", "Makes this speaker a little louder or quieter.", direction=one_of("up", "down")
)
STOP_LISTENING = reading(
    "stop_listening", "Ends the conversation, when the user says goodbye, or that nothing more is wanted."
)
COFFEE = function("start_coffee", "Starts the coffee machine")
TEMPERATURE = reading("read_temperature", "The temperature in the room")
DISTANCE = reading("distance", "How far away the nearest thing is, in centimetres")
DOOR = reading("front_door", "Whether the front door is open")
RING = function("ring", "The ring of lights", color=one_of("red", "green", "blue"))
RADIO = function("radio", "The radio in the kitchen", station=one_of("jazz", "news", "off"))
HEATER = function("heater", "The heater", target=number(5, 30, "number", description="Degrees Celsius."))
BELL = function("doorbell", "The doorbell chime")
TIMER = function("set_timer", "Set a timer", minutes=number(1, 600))
LIST = function("add_item", "Add something to the shopping list", item={"type": "string", "minLength": 1})
ROOMS = function(
    "set_light", "Turn a light on or off", ["room", "on"], room=one_of("kitchen", "hall"), on={"type": "boolean"}
)
LEVEL = function("dimmer", "The dimmer", level=number(0, 1, "number"))
HOUSE = [
    *(DESK_LAMP, FLOOR_LAMP, FAN, STRIP, GATE, LOCK, SET_VOLUME, CHANGE_VOLUME, STOP_LISTENING, COFFEE, TEMPERATURE),
    *(DISTANCE, DOOR, RING, RADIO, HEATER, BELL, TIMER, LIST),
]
