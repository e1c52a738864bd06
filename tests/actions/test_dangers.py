"""What asks first by its description alone: things in seven languages, dangerous and harmless."""

import pytest

from cooee.actions._dangers import is_dangerous

DANGEROUS = """
the front door's opener | door strike | the electric strike | the doorlock | padlock of the shed | deadbolt
smart lock | the lock of the front door | the alarm bell | fire bell | the siren | burglar alarm
the alarm in the hall | the heating | heating in the bath | radiator | boiler | the stove | the oven | my oven
kitchen hob | the iron | the kiln | our sauna | gas | the gas valve | water main | main water valve | the tap's valve
table saw | bandsaw | chainsaw | roller door | gate motor | the garage | garage door | the driveway gate | fan heater
the fan heater in the bath | patio heater | heat lamp | heat pump | the lamp and the heater | lamp, oven
camera with siren | fireplace | deep fryer | relay for the garage door | Opens the front door | Unlocks the cellar
button of the gate | light barrier gate | Turn on the oven | the light or the oven | Heizung | Die Heizung im Bad
Heizkörper | Heizlüfter | Schloss | Haustürschloss | Tür | Die Haustür | Haustuer | Türöffner | Tueroeffner | Tor
Hoftor | Garagentor | Rolltor | Die Garage | Ventil | Gasventil | Wasserhahn | Alarm | Die Alarmanlage | Ofen
Kachelofen | Herd | Elektroherd | Bügeleisen | Kreissäge | Sirene | Schranke | Sauna | Torantrieb | Lampe und Heizung
Garagentür schließen | Gartentürchen | Infrarotheizung | Heizstab | Das Licht mit Sirene | Öffnet das Tor
Schalter für die Heizung | la serrure | Serrure de la porte | La porte d'entrée | le portail | Le portail du jardin
la porte de garage | le chauffage | Chauffage du salon | le four | Four | Four à pizza | la vanne | Vanne d'arrêt
l'alarme | la chaudière | radiateur électrique | le fer à repasser | la barrière | lampe et chauffage | Ouvre la porte
la cerradura | puerta | La puerta de la calle | portón | El garaje | la calefacción | el horno | La válvula | alarma
la estufa | calentador de agua | la plancha | llave de paso | luz y calefacción | el portón eléctrico
placa de inducción | la serratura | La porta d'ingresso | il portone | il cancello | cancello elettrico | la serranda
il riscaldamento | il forno | la valvola del gas | l'allarme | la stufa | la caldaia | ferro da stiro
luce e riscaldamento | het slot | de voordeur | Voordeurslot | hangslot | deuropener | de poort | tuinpoort | het hek
garagedeur | gaskraan | de verwarming | vloerverwarming | de oven | fornuis | het alarm | cv-ketel
de lamp en het slot | a fechadura | porta | O portão | portão da garagem | a garagem | aquecimento | aquecedor
o forno | fogão | a válvula | alarme
the entry buzzer | intercom | The safe | the safe in the bedroom | Nuki | The driveway | water supply | water shutoff
the water shut-off | the sprinklers | the security system | electric fire | the hatch | the window in the bath
backdoor | the frontdoor | la gâche | La gâche du portail | Lets the visitor in | let the cat in
Lets in the postman | lets visitors in at the gate | Fenster
the heater outlet | Plug of the heater | Sets the alarm status | the freezer valve | safe lock | driveway gate
"""
HARMLESS = """
the lamp | the garage light | light in the garage | the lamp at the front door | the front door bell | doorbell
door bell | the alarm clock | alarm clock light | the light over the oven | oven light | the oven's lamp
cooker light | the gate lamp | the lamp next to the oven | the fan | ceiling fan | the fan over the stove
garage camera | camera at the gate | door sensor | the temperature of the boiler | the heating's target temperature
lights at the driveway gate | the chime of the front door | the clock on the oven | the coffee machine | the kettle
the television | the radio | garden sprinkler | the pump | the desk | blind by the gate | curtain of the balcony door
Turns on the light in the garage | the switch of the lamp over the oven | porch light behind the garage door
the strip on the shelf | the ventilator | four lamps | the printer port | block | the clock | the robot vacuum
the gateway | the ironing board light | the door light | the speaker in the sauna | lantern with timer | Licht
Die Lampe | Garagenlicht | Torlampe | Die Lampe am Tor | Das Licht über dem Herd | Ofenlicht | Türklingel | Der Wecker
Die Leuchte an der Haustür | Der Ventilator | Der Monitor | Der Motor | Das Radio | Die Kamera am Gartentor
Ladestation | Die Uhr am Backofen | Heizungslampe | Der Traktor | Die Steckdose | Beleuchtung der Garage
Strahler am Tor | Der Generator | la lumière | la lumière du garage | La lampe de la porte | Lampe verte du portail
l'éclairage du four | sonnette de la porte | la lumière sur la porte d'entrée | le ventilateur | le réveil
Allume la lumière du garage | guirlande de la porte | la luz | la luz del garaje | luz de la puerta
la lámpara sobre el horno | el ventilador | el timbre de la puerta | la luce | la luce del garage
lampada sopra il forno | luce verde del cancello | il ventilatore | il campanello della porta | de lamp
de lamp bij de voordeur | garagelamp | deurbel | licht boven het fornuis | de verlichting van de garage | de wekker
the garage freezer | The garage fridge | the garage charger | garage vacuum | The garage outlet | the garage status
the garage humidity | the door mat | gas meter | the gas price | the heater status | the cooker hood | the alarm sound
alarm tone | the wake-up alarm | the lock screen | the lock battery | the lock's battery | boiler room | freezer
Boiler room lamp | the window blind | the window fan | driveway light | security camera | safe mode | Lets the sun in
the security light | the window cleaner | the garage TV | the Windows PC | intercom volume
it is safe | let's turn on the lamp in the hall | the safe mode
a luz | a luz da garagem | a lâmpada da porta | luz do portão | a campainha da porta | a ventoinha
"""
SAFE = """
the oven = off | the heating = off | Heizung = aus | the front door lock = lock | the valve = close | the alarm = arm
the front door = lock | sirens = off | il forno = spegnere | the front door = close | the boiler in the cellar = off
the sprinklers = off | the window = close | the safe = lock
Turns off the oven = | Switches the heating off = | Lock the front door = | Closes the water valve = | Ofen aus =
"""
NOT_SAFE = """
the oven = on | the heating = off on | the lock = unlock | the valve = open | the alarm = disarm | the alarm = off
the alarm status = disarm | the window = open | the safe = unlock | the security system = disarm | the sprinklers = on
the garage door = close | the gate = close | the door = open | the oven = toggle | the lock = lock unlock
the heater = 70 | Turns the oven on or off = | Locks and unlocks the front door = | Switches off the alarm =
Turns the oven on/off = | Toggles the oven off = | the lock = | la porte de garage = fermer
"""


def said(texts: str) -> list[str]:
    return [text.strip() for line in texts.strip().splitlines() for text in line.split(" | ")]


JUDGED = {True: DANGEROUS, False: HARMLESS}


def test_things_are_judged_by_what_they_are_and_not_by_where() -> None:
    wrong = [
        f"{'dangerous' if dangerous else 'harmless'}: {text}"
        for dangerous, texts in JUDGED.items()
        for text in said(texts)
        if is_dangerous(text, set()) is not dangerous
    ]
    number = sum(len(said(texts)) for texts in JUDGED.values())
    print(f"{number - len(wrong)} of {number} descriptions are judged right")
    assert not wrong


@pytest.mark.parametrize(("texts", "dangerous"), [(SAFE, False), (NOT_SAFE, True)])
def test_the_safe_direction_is_safe(texts: str, dangerous: bool) -> None:
    judged = {text: text.partition("=") for text in said(texts)}
    wrong = [text for text, (thing, _, to) in judged.items() if is_dangerous(thing, set(to.split())) is not dangerous]
    assert not wrong


def test_how_it_is_written_is_no_way_round() -> None:
    for text in (
        "THE OVEN",
        "Tu\u0308r",
        "\uff2fVEN",
        "The\u00a0oven",
        "the_oven".replace("_", " "),
        "CERRADURA",
        "Porton",
    ):
        assert is_dangerous(text, {"on"})
