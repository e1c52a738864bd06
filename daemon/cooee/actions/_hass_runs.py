"""Scenes, scripts, buttons and music: how Home Assistant is asked, and how one sees that it was done. Pure."""

from collections.abc import Callable, Sequence

from cooee.actions import Failed
from cooee.actions._dangers import is_dangerous
from cooee.actions._hass_home import Entity
from cooee.actions._hass_kind import Arguments, Home, Kind, Properties, Step, is_state, one_of, the, whole
from cooee.actions._hass_mirror import State
from cooee.actions._hass_moves import lets_in

_RISKY_MEMBERS = ("lock", "valve", "alarm_control_panel", "siren", "water_heater", "climate", "script", "automation")
# What a player is told, with the bit of Home Assistant's features that it needs.
_SERVICES = {
    "play": ("media_play", 16384),
    "pause": ("media_pause", 1),
    "stop": ("media_stop", 4096),
    "next": ("media_next_track", 32),
    "previous": ("media_previous_track", 16),
    "on": ("turn_on", 128),
    "off": ("turn_off", 256),
    "louder": ("volume_up", 4 | 1024),
    "quieter": ("volume_down", 4 | 1024),
    "mute": ("volume_mute", 8),
    "unmute": ("volume_mute", 8),
}
_VOLUME = 4
_SILENT = ("off", "standby", "idle", "paused", "stopped")


def _scene(scene: Entity, state: State, arguments: Arguments, home: Home) -> Step:
    name = scene.names[0]
    return Step("scene", "turn_on", {}, lambda now: now.at > state.at, said=f"The scene {name} is activated.")


def _scene_danger(scene: Entity, state: State | None, arguments: Arguments, home: Home) -> bool:
    """By what it sets, as far as Home Assistant tells; a cover that is not known here may be a garage door."""
    for member in scene.texts("entity_id"):
        domain, known = member.partition(".")[0], home.entities.get(member)
        if domain in _RISKY_MEMBERS or (domain == "cover" and (known is None or lets_in(known))):
            return True
    return any(is_dangerous(name, set()) for name in scene.spoken)


def _run(thing: Entity, state: State, arguments: Arguments, home: Home) -> Step:
    name = thing.names[0]
    if thing.domain == "script":
        began = state.attributes.get("last_triggered")
        said = f"The script {name} has been started."
        return Step("script", "turn_on", {}, lambda now: now.attributes.get("last_triggered") != began, said=said)
    said = f"The button {name} has been pressed."
    return Step(thing.domain, "press", {}, lambda now: now.at > state.at, said=said)


def _media_properties(players: Sequence[Entity], home: Home) -> Properties:
    able = [word for word, (_, needs) in _SERVICES.items() if any(player.has(needs) for player in players)]
    found: Properties = {"action": one_of(*(able or ["on", "off"]))}
    if any(player.has(_VOLUME) for player in players):
        found["volume"] = whole(0, 100, "How loud, in percent.")
    return found


def _media(player: Entity, state: State, arguments: Arguments, home: Home) -> Step:
    action, volume = arguments.get("action"), arguments.get("volume")
    if volume is not None:
        _must(player, _VOLUME)
        wanted = volume / 100
        return Step("media_player", "volume_set", {"volume_level": wanted}, lambda now: abs(_loud(now) - wanted) < 0.03)
    if action is None:
        raise Failed(f"it was not said what to do with {the(player.names[0])}.")
    service, needs = _SERVICES[action]
    _must(player, needs)
    data = {"is_volume_muted": action == "mute"} if service == "volume_mute" else {}
    is_visible = action not in ("next", "previous")
    return Step("media_player", service, data, _sign(action, state), is_visible=is_visible)


def _must(player: Entity, feature: int) -> None:
    if not player.has(feature):
        raise Failed(f"{the(player.names[0])} can't do that.")


def _loud(state: State) -> float:
    return state.number("volume_level") or 0.0


def _sign(action: str, before: State) -> Callable[[State], bool]:
    """How one sees that a player did it."""
    match action:
        case "play":
            return is_state("playing", "buffering")
        case "pause" | "stop":
            return is_state(*_SILENT)
        case "on":
            return lambda now: now.value not in ("off", "standby")
        case "off":
            return is_state("off", "standby")
        case "louder":
            return lambda now: _loud(now) > _loud(before) or _loud(now) >= 1
        case "quieter":
            return lambda now: _loud(now) < _loud(before) or _loud(now) <= 0
        case "mute" | "unmute":
            return lambda now: now.attributes.get("is_volume_muted") is (action == "mute")
    playing = ("media_title", "media_content_id", "media_track")
    return lambda now: any(now.attributes.get(key) != before.attributes.get(key) for key in playing)


SCENE = Kind(
    "scene",
    "Activates scenes",
    ("scene",),
    lambda scenes, home: {"action": one_of("activate")},
    _scene,
    is_risky=_scene_danger,
    deed=lambda name, arguments, home: f"activate the scene {name}",
)
SCRIPT = Kind(
    "script",
    "Runs scripts and presses buttons",
    ("script", "button", "input_button"),
    lambda scripts, home: {"action": one_of("run")},
    _run,
    # Nobody knows what is in it, unless whoever wrote the config has named just this one.
    is_risky=lambda script, state, arguments, home: not script.is_named,
    deed=lambda name, arguments, home: f"run {name}",
)
MEDIA = Kind("media", "Plays, pauses or skips music and films, or sets their volume", ("media_player",),
             _media_properties, _media)  # fmt: skip
