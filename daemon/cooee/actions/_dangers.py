"""What is dangerous to move, by the words for it in seven languages. Pure.

A thing is what its head says, and a place says nothing of it: in the Germanic languages the head is the last noun
before the place ("the garage light over the gate"), in the Romance ones the first ("la luz verde del garaje").
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Kind:
    """The values that move it to the safe side, and its nouns. "*": any letters; "_": a space; plurals go without
    saying. Romance ones stand without accents, and German ones also match where an umlaut is written as ae or oe."""

    safe: str
    germanic: str
    romance: str


_OFF = "off aus uit eteindre apagar spegnere desligar"
_SHUT = "lock locked close closed zu schließen verriegeln dicht sluiten fermer cerrar chiudere fechar"

_DANGERS = (
    _Kind(
        "lock locked verriegeln abschließen cerrar fermer chiudere fechar",
        "lock unlock locks unlocks locked unlocked doorlock padlock deadlock deadbolt bolt latch strike *schloss"
        " *schlösser *riegel entriegelt aufsperren aufschließen hangslot *deurslot fietsslot *cilinderslot het_slot"
        " grendel nuki ^safe the_safe my_safe our_safe wall_safe gun_safe key_safe tresor kluis",
        "serrure gache coffre-fort caja_fuerte cassaforte cofre"
        " verrou cadenas cerradura cerrojo candado pestillo serratura serrature lucchetto lucchetti"
        " chiavistello fechadura tranca cadeado trinco",
    ),
    _Kind(
        _SHUT,
        "door *opener *tür tuer *stuer *entuer *türchen *öffner türsummer türantrieb pforte *deur backdoor frontdoor"
        " sidedoor entry_buzzer door_buzzer entry_phone intercom *sprechanlage hatch trapdoor window skylight *fenster"
        " *raam luke dakluik",
        "porte portillon puerta porta ouvre-porte apriporta abrepuertas interphone citofono fenetre ventana finestra"
        " finestre janela trappe",
    ),
    _Kind(
        "",
        "garage *garage garagedoor driveway gate barrier"
        " garage_door roller_door rolling_door sectional_door overhead_door tor"
        " *garagentor hoftor gartentor einfahrtstor rolltor schiebetor schwingtor sektionaltor zufahrtstor *torantrieb"
        " *tormotor *torsteuerung garagentür garagentuer garagenöffner *garagendeur schranke poort *npoort *spoort"
        " *gepoort hek *nhek slagboom",
        "portail portails barriere rideau_metallique porte_de_garage porte_du_garage porton portones cancela verja"
        " barrera garaje cochera puerta_de_garaje puerta_del_garaje puerta_de_la_cochera portone portoni cancello"
        " cancelli cancelletto sbarra serranda serrande basculante porta_del_garage portao portoes garagem garagens"
        " porta_da_garagem",
    ),
    _Kind(
        _SHUT,
        "valve stopcock faucet water_tap water_main mains_water water_supply water_shutoff"
        " water_shut-off water_shut_off shutoff shut-off gas *ventil *ventiel *hahn *hähne *hoofdkraan"
        " gaskraan waterkraan kraan",
        "vanne robinet gaz valvula valvola valvole llave grifo rubinetto rubinetti torneira",
    ),
    _Kind(
        "arm armed arm_home arm_away arm_night",
        "alarm *alarm *alarmanlage alarmsysteem alarm_bell fire_bell security_system security_panel security_mode",
        "alarme alarma allarme allarmi antifurto",
    ),
    _Kind(_OFF, "siren sirene sprinkler", "sirena"),
    _Kind(
        _OFF,
        "*heater heating heat_pump heat_lamp heat_light heating_lamp boiler radiator furnace oven stove cooker"
        " cooktop hob hotplate hot_plate grill fryer kiln sauna fireplace electric_fire gas_fire iron saw"
        " chainsaw bandsaw jigsaw electric_blanket heated_blanket"
        " *heizung heizstab heizkörper heizlüfter heizstrahler heizgerät heizkessel"
        " heizdecke heizpilz wärmepumpe wärmelampe *ofen *öfen herd *nherd *oherd *sherd *herdplatte *kochfeld"
        " *kochplatte *erhitzer *therme kamin bügeleisen *säge fritteuse verwarming *verwarming kachel *kachel"
        " cv-ketel *ketel fornuis *kookplaat strijkijzer *haard *zaag",
        "chauffage chauffe-eau radiateur chaudiere le_four un_four mon_four notre_four du_four au_four cuisiniere"
        " plaque poele cheminee fer fer_a_repasser scie calefaccion calefactor calentador radiador caldera estufa"
        " horno hornillo placa_de_induccion vitroceramica fogon plancha chimenea sierra riscaldamento termosifone"
        " termosifoni radiatore radiatori stufa stufe caldaia caldaie scaldabagno forno forni fornello fornelli ferro"
        " camino caminetto sega seghe aquecimento aquecedor caldeira esquentador fogao fogoes lareira serra",
    ),
)
_HARMLESS = _Kind(
    "",
    "light lamp lantern bulb led spot spotlight lighting fan camera radio speaker sensor display chime bell"
    " doorbell sign strip clock timer temperature thermometer music blind curtain *lampe *licht *lichter *leuchte"
    " *beleuchtung strahler ledstrahler lichtstrahler *kamera *sensor *klingel lichterkette *uhr *wecker"
    " freezer fridge refrigerator vacuum charger battery humidity status price meter hood cleaner tv television"
    " pc computer volume garage_outlet"
    " garage_socket garage_plug door_mat alarm_sound alarm_tone wake-up_alarm wake_up_alarm weckalarm lock_screen"
    " safe_mode boiler_room furnace_room garden_sprinkler lawn_sprinkler"
    " ventilator lüfter *temperatur *lamp *lampje *verlichting bel deurbel",
    "lumiere lampe guirlande lampadaire ampoule eclairage plafonnier ventilateur sonnette carillon reveil capteur"
    " luz luces lampara bombilla foco ventilador timbre despertador reloj luce luci lampada lampade lampadario"
    " lampadina lampadine faretto faretti ventilatore telecamera campanello sensore sveglia luzes candeeiro"
    " ventoinha campainha temperatura",
)
_PARTS = re.compile(
    r"[.,;:(!?\n/&+]|\b(?:and|or|with|und|oder|mit|et|ou|avec|con|com|met)\b"
    r"|\ben (?=(?:het|de|een)\b)|\b[ey]\b|\bo (?=(?:la|el|il|lo|los|las)\b)"
)
_PLACE = re.compile(
    r"\b(?:in|on|of|at|for|by|over|under|above|below|behind|beside|near|next|outside|inside|to|from"
    r"|am|im|an|auf|bei|über|vor|von|vom|der|des|zum|zur|fürs?|neben|hinter|naast|boven|bij|voor|van|op|aan"
    r"|d[ue]|d|del|dell[aeo]|dei|d[ao]s?|en|sur|dans|devant|pour|a|au|aux|à|sopra|sotto|per|nel|nell[aeo]|sull?|sull[aeo]"
    r"|al|sobre|para|por|n[ao])\b"
)
_LETS_IN = re.compile(
    r"\blet(?:s|ting)? (?!.*\b(?:light|sun|sunlight|sunshine|air|breeze|heat|water)\b)"
    r"(?:in (?:the|an?|my|our)\b|.*\bin(?: (?:at|by|through|from)\b.*)?$)"
)
_STATUS = re.compile(r"\bstatus\b")
"""Harmless to read; what sets it moves the thing itself."""
_SETS = re.compile(r"(?:sets?|chang\w+|updat\w+|switch\w*|turns?|toggles?|controls?)\b")
_DEEDS = (
    (re.compile(r"(?:turn|switch|shut)(?:e?s)? off\b|.*\b(?:off|aus|uit)$"), "off"),
    (re.compile(r"locks? (?=\w+ \w)"), "lock"),
    (re.compile(r"(?:closes?|shuts?) (?!off\b)"), "close"),
    (re.compile(r"arms? "), "arm"),
)
"""What does just one thing, and says that it is the safe one."""
_OTHERWISE = re.compile(r"\b(?:on|un\w+|open\w*|toggle\w*|disarm\w*|an|ein|auf\w*|ent\w+)\b")


def _pattern(nouns: str, *, is_romance: bool) -> re.Pattern[str]:
    spelt = "|".join(sorted(nouns.split(), key=len, reverse=True))
    spelt = spelt.replace("*", r"\w*").replace("_", " ").replace("ä", "(?:ä|ae)").replace("ö", "(?:ö|oe)")
    alone = r"|^fours?(?=$| a )" if is_romance and "le four" in spelt else ""
    return re.compile(rf"\b(?:{spelt})(?:e?[sn]|e)?\b{alone}")


@dataclass(frozen=True, slots=True)
class _Noun:
    """A noun that is known, and where it stands; `safe` is None for a harmless one."""

    start: int
    end: int
    safe: frozenset[str] | None
    is_romance: bool


_PATTERNS = tuple(
    (None if kind is _HARMLESS else frozenset(kind.safe.split()), is_romance, _pattern(nouns, is_romance=is_romance))
    for kind in (*_DANGERS, _HARMLESS)
    for is_romance, nouns in ((False, kind.germanic), (True, kind.romance))
)


def is_dangerous(description: str, values: set[str]) -> bool:
    """Whether it speaks of such a thing, and the values would not move that to the safe side. No values: one deed."""
    text = unicodedata.normalize("NFKC", description).lower()
    return any(_is_dangerous(thing.strip(), values) for thing in _PARTS.split(text) if thing)


def _is_dangerous(thing: str, values: set[str]) -> bool:
    if values or _SETS.match(thing):
        thing = _STATUS.sub("", thing)
    if _LETS_IN.search(thing):
        return True
    head = _head(thing)
    if head is None or head.safe is None:
        return False
    done = values or _deed(thing)
    return not (done and done <= head.safe)


def _head(thing: str) -> _Noun | None:
    nouns = sorted(_nouns(thing), key=lambda noun: (noun.start, noun.end))
    if not nouns:
        return None
    places = [place.start() for place in _PLACE.finditer(thing)]
    places = [at for at in places if not any(noun.start < at < noun.end for noun in nouns)]
    place = next((at for at in places if at > nouns[0].start), len(thing))
    nouns = [noun for noun in nouns if noun.start < place]
    return nouns[0] if nouns[0].is_romance else nouns[-1]


def _nouns(thing: str) -> Iterator[_Noun]:
    """Those that are no part of a longer one; of two for the same, the dangerous one."""
    bare = "".join(unicodedata.normalize("NFD", letter)[0] for letter in thing)
    found = [
        _Noun(*match.span(), safe, is_romance)
        for safe, is_romance, pattern in _PATTERNS
        for match in pattern.finditer(bare if is_romance else thing)
    ]
    for at, noun in enumerate(found):
        if not any(_covers(other, noun, is_first=i < at) for i, other in enumerate(found)):
            yield noun


def _covers(other: _Noun, noun: _Noun, *, is_first: bool) -> bool:
    if not (other.start <= noun.start and noun.end <= other.end):
        return False
    return is_first or (other.start, other.end) != (noun.start, noun.end)


def _deed(thing: str) -> set[str]:
    if _OTHERWISE.search(thing):
        return set()
    return {deed for pattern, deed in _DEEDS if pattern.match(thing)}
