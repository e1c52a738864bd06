"""What is asked of the template home, and how one sees in Home Assistant that just that was done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hass import Hass

WATCHED = ("light", "switch", "fan", "cover", "lock", "climate", "media_player", "scene", "script")
SHOWN = ("brightness", "hs_color", "current_position", "percentage", "temperature", "volume_level", "last_triggered")
REST: dict[str, object] = {
    **{f"input_boolean.{name}": "off" for name in ("lamp", "cooker", "ceiling", "plug", "oven", "fan", "garage")},
    **{f"input_boolean.{name}": "off" for name in ("heater", "radio", "night")},
    "input_boolean.door": "on",
    "input_number.lamp_level": 128,
    "input_number.lamp_hue": 0,
    "input_number.lamp_saturation": 0,
    "input_number.fan_speed": 50,
    "input_number.blinds": 100,
    "input_number.loudness": 0.4,
}
"""The helpers of the home when nothing was asked for yet."""

States = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Command:
    """`then`: the one thing or the several that are to be different, with the state, or a dict of attributes.

    `asks`: only after a yes. `says`: a part of the answer. `first`: the helpers that are different from `REST` before.
    `function` and `arguments`: the call by which a model asks for the same. `about`: what nothing changes in.
    """

    text: str
    function: str
    arguments: Mapping[str, Any]
    then: Mapping[str, Any] = field(default_factory=dict)
    says: str = ""
    asks: bool = False
    first: Mapping[str, object] = field(default_factory=dict)
    about: str = ""

    @property
    def touched(self) -> set[str]:
        """The entities that it is for."""
        return {*self.then, *([self.about] if self.about else [])}


def on_(helper: str) -> dict[str, object]:
    return {f"input_boolean.{helper}": "on"}


def _call(kind: str, name: str, **arguments: Any) -> tuple[str, dict[str, Any]]:
    return f"home_{kind}", {"name": name, **arguments}


ON, OFF = {"state": "on"}, {"state": "off"}
# fmt: off
COMMANDS = (
    Command("Turn on the kitchen lamp.", *_call("light", "Kitchen lamp", **ON), {"light.kitchen_lamp": "on"}),
    Command("Turn off the kitchen lamp.", *_call("light", "Kitchen lamp", **OFF), {"light.kitchen_lamp": "off"},
            first=on_("lamp")),
    Command("Set the kitchen lamp to thirty percent.", *_call("light", "Kitchen lamp", level=30),
            {"light.kitchen_lamp": {"brightness": 76}}),
    Command("Make the kitchen lamp blue.", *_call("light", "Kitchen lamp", colour="blue"),
            {"light.kitchen_lamp": {"hs_color": [240, 100]}}),
    Command("Switch the cooker light on.", *_call("light", "Cooker light", **ON), {"light.cooker_light": "on"}),
    Command("Switch off the hob light.", *_call("light", "hob light", **OFF), {"light.cooker_light": "off"},
            first=on_("cooker")),
    Command("Turn on the ceiling light.", *_call("light", "Ceiling light", **ON), {"light.ceiling_light": "on"}),
    Command("Turn off the lounge lights.", *_call("light", "Lounge lights", **OFF), {"light.ceiling_light": "off"},
            first=on_("ceiling")),
    Command("Turn on the kitchen lights.", *_call("light", "Kitchen lights", **ON),
            {"light.kitchen_lamp": "on", "light.cooker_light": "on"}),
    Command("Turn off all the lights.", *_call("light", "all lights", **OFF), {"light.cooker_light": "off"},
            first=on_("cooker")),
    Command("Turn on the dead light.", *_call("light", "Dead light", **ON), says="does not answer",
            about="light.dead_light"),
    Command("Turn on the coffee machine.", *_call("switch", "Coffee machine", **ON), {"switch.coffee_machine": "on"}),
    Command("Switch the coffee machine off.", *_call("switch", "Coffee machine", **OFF),
            {"switch.coffee_machine": "off"}, first=on_("plug")),
    Command("Turn off the oven.", *_call("switch", "Oven", **OFF), {"switch.oven": "off"}, first=on_("oven")),
    Command("Turn on the oven.", *_call("switch", "Oven", **ON), {"switch.oven": "on"}, asks=True),
    Command("Turn on the garden pump.", *_call("switch", "Garden pump", **ON), says="did not change",
            about="switch.jammed_pump"),
    Command("Turn off the slow kettle.", *_call("switch", "Slow kettle", **OFF), says="is off",
            about="switch.slow_kettle"),
    Command("Turn on the bedroom fan.", *_call("fan", "Bedroom fan", **ON), {"fan.bedroom_fan": "on"}),
    Command("Set the bedroom fan to eighty percent.", *_call("fan", "Bedroom fan", level=80),
            {"fan.bedroom_fan": {"percentage": 80}}),
    Command("Close the big blind.", *_call("cover", "Big blind", action="close"), {"cover.blinds": "closed"}),
    Command("Open the living room blinds.", *_call("cover", "Living Room blinds", action="open"),
            {"cover.blinds": "open"}, first={"input_number.blinds": 0}),
    Command("Set the big blind to forty percent.", *_call("cover", "Big blind", position=40),
            {"cover.blinds": {"current_position": 40}}),
    Command("Open the garage door.", *_call("cover", "Garage door", action="open"), {"cover.garage_door": "open"},
            asks=True),
    Command("Close the garage door.", *_call("cover", "Garage door", action="close"), {"cover.garage_door": "closed"},
            first=on_("garage")),
    Command("Open the side gate.", *_call("cover", "Side gate", action="open"), says="did not move", asks=True,
            about="cover.side_gate"),
    Command("Lock the front door.", *_call("lock", "Front door", action="lock"), {"lock.front_door": "locked"},
            first={"input_boolean.door": "off"}),
    Command("Unlock the front door.", *_call("lock", "Front door", action="unlock"), {"lock.front_door": "unlocked"},
            asks=True),
    Command("Set the bedroom heating to twenty one degrees.", *_call("climate", "Bedroom heating", temperature=21),
            {"climate.bedroom_heating": {"temperature": 21}}),
    Command("Turn on the bedroom heating.", *_call("climate", "Bedroom heating", **ON),
            {"climate.bedroom_heating": "heat"}),
    Command("Activate movie night.", *_call("scene", "Movie night", action="activate"),
            {"scene.movie_night": None, "light.ceiling_light": "off", "light.cooker_light": "on"},
            first=on_("ceiling")),
    Command("Activate open house.", *_call("scene", "Open house", action="activate"),
            {"scene.open_house": None, "lock.front_door": "unlocked"}, asks=True),
    Command("Run the good night script.", *_call("script", "Good night", action="run"), {"script.good_night": None},
            asks=True),
    Command("Play the radio.", *_call("media", "Radio", action="play"), {"media_player.radio": "playing"}),
    Command("Pause the radio.", *_call("media", "Radio", action="pause"), {"media_player.radio": "paused"},
            first=on_("radio")),
    Command("Set the radio volume to twenty five percent.", *_call("media", "Radio", volume=25),
            {"media_player.radio": {"volume_level": 0.25}}),
    Command("What is the bedroom temperature?", *_call("state", "Bedroom temperature"), says="19.5",
            about="sensor.bedroom_temperature"),
    Command("Is the bedroom window open?", *_call("state", "Bedroom window"), says="window is closed",
            about="binary_sensor.bedroom_window"),
    Command("Is the front door locked?", *_call("state", "Front door"), says="door is locked",
            about="lock.front_door"),
)
HUMAN = (
    Command("is the Garage Door open", *_call("state", "Garage door"), says="garage door is closed"),
    Command("set Kitchen lights to green", *_call("light", "Kitchen lights", colour="green"),
            {"light.kitchen_lamp": {"hs_color": [120, 100]}}, says="can't be green"),
    Command("turn on Standing Light", *_call("light", "Standing light", **ON), {"light.ceiling_light": "on"}),
    Command("run Party Time", *_call("script", "Party time", action="run"), {"script.good_night": None}, asks=True),
    Command("what's the temperature of the EcoBee", *_call("state", "EcoBee"), says="19.5"),
    *(Command(text, "", {}) for text in ("oov_1", "oov_3", "nevermind", "cancel timer", "pause timer", "resume timer",
      "skip on TV", "what time is it", "add apples to my Shopping List", "turn off all of the lights in the Office",
      "what's the weather like in New York", "set a timer for 30 seconds")),
)
"""Recordings of a speaker in another home: what this one has, and what it has not, by which nothing moves."""
HUMAN_ALIASES = {
    "light.ceiling_light": ["Standing light"],
    "script.good_night": ["Party time"],
    "climate.bedroom_heating": ["EcoBee"],
}
# fmt: on


def rest(hass: Hass, first: Mapping[str, object]) -> States:
    """Bring the home into the state from which the command starts, and tell it."""
    now = {each["entity_id"]: each["state"] for each in hass.ask("get_states")}
    for helper, value in {**REST, **first}.items():
        if now[helper] != value and (isinstance(value, str) or float(now[helper]) != value):
            hass.put(helper, value)
    if now["climate.bedroom_heating"] != "off":
        hass.serve("climate", "set_hvac_mode", entity_id="climate.bedroom_heating", hvac_mode="off")
    hass.serve("climate", "set_temperature", entity_id="climate.bedroom_heating", temperature=18)
    return states(hass)


def states(hass: Hass) -> States:
    """What one sees of everything that can be worked."""
    return {
        each["entity_id"]: {"state": each["state"]} | {name: each["attributes"].get(name) for name in SHOWN}
        for each in hass.ask("get_states")
        if each["entity_id"].partition(".")[0] in WATCHED
    }


def judged(command: Command, before: States, after: States, said: str) -> str:
    """ "right", "nothing" (refused, not understood or not done) or "wrong"."""
    changed = {entity_id for entity_id in after if after[entity_id] != before[entity_id]}
    if changed - command.then.keys():
        return "wrong"
    if not changed and command.then:
        return "nothing"
    is_so = all(_is(after[entity_id], wanted) for entity_id, wanted in command.then.items())
    if changed == command.then.keys() and is_so:
        return "right" if command.says in said else "nothing"
    return "wrong"


def _is(state: Mapping[str, Any], wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return all(state[name] == value for name, value in wanted.items())
    return wanted is None or state["state"] == wanted
