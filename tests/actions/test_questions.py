"""What is asked before something moves, in the language of the house. Pure."""

import pytest

from cooee.actions._questions import in_language
from cooee.asking import asks


def ask(deed: str, language: str) -> str:
    return in_language(f"Do you really want me to {deed}?", language)


@pytest.mark.parametrize(
    ("language", "deed", "question"),
    [
        ("de", "operate die Haustür", "Die Haustür: wirklich öffnen?"),
        ("de", "operate das Garagentor", "Das Garagentor: wirklich öffnen?"),
        ("de", "operate der Motor", "Der Motor: wirklich betätigen?"),
        ("de", "operate das Licht der Haustür", "Das Licht der Haustür: wirklich betätigen?"),
        ("de", "unlock the haustür", "Haustür: wirklich aufschließen?"),
        ("de", "set die Heizung to 30 degrees", "Die Heizung: wirklich auf 30 Grad stellen?"),
        ("de", "move das Rolltor to 40 percent", "Das Rolltor: wirklich auf 40 % stellen?"),
        ("fr", "operate la porte d'entrée", "La porte d'entrée : vraiment ouvrir ?"),
        ("fr", "switch off le chauffage", "Le chauffage : vraiment éteindre ?"),
        ("es", "operate la puerta del garaje", "La puerta del garaje: ¿realmente abrir?"),
        ("it", "switch on il forno", "Il forno: davvero accendere?"),
        ("nl", "lock de voordeur", "De voordeur: echt vergrendelen?"),
        ("pt", "operate o portão", "O portão: realmente abrir?"),
        ("", "operate die Haustür", "Do you really want me to operate die Haustür?"),
        ("en", "unlock the front door", "Do you really want me to unlock the front door?"),
        ("ja", "unlock the front door", "Do you really want me to unlock the front door?"),
        ("de", "do this: add note", "Do you really want me to do this: add note?"),
    ],
)
def test_a_thing_keeps_its_name_and_the_deed_is_in_the_language_of_the_house(
    language: str, deed: str, question: str
) -> None:
    assert ask(deed, language) == question
    assert asks(question, question)


@pytest.mark.parametrize(
    ("language", "deed", "said", "others"),
    [
        ("de", "operate die Haustür", "Soll ich die Haustür wirklich öffnen?", "Soll ich die Haustür abschließen?"),
        ("de", "operate die Haustür", "Möchten Sie wirklich die Haustür öffnen?", "Soll ich das Fenster öffnen?"),
        ("de", "operate die Haustür", "Möchtest du, dass ich die Haustür öffne?", "Möchtest du die Haustür sehen?"),
        ("de", "operate die Haustür", "Bist du sicher, dass ich die Haustür öffnen soll?", "Ist die Haustür offen?"),
        ("de", "unlock the haustür", "Soll ich die Haustür aufschließen?", "Soll ich die Haustür nicht aufschließen?"),
        ("de", "set die Heizung to 30 degrees", "Soll ich die Heizung auf 30 Grad stellen?", "Die Heizung auf 20?"),
        ("fr", "operate la porte d'entrée", "Voulez-vous vraiment ouvrir la porte d'entrée ?", "La porte d'entrée ?"),
        ("fr", "switch off le chauffage", "Dois-je vraiment éteindre le chauffage ?", "Dois-je allumer le chauffage ?"),
        ("es", "operate la puerta", "¿De verdad quieres que abra la puerta?", "¿Quieres que cierre la puerta?"),
        ("it", "switch on il forno", "Vuoi davvero accendere il forno?", "Vuoi spegnere il forno?"),
        ("nl", "operate de poort", "Wil je echt dat ik de poort open?", "Wil je dat ik de poort sluit?"),
        ("pt", "operate o portão", "Quer realmente que eu abra o portão?", "Quer que eu feche o portão?"),
    ],
)
def test_so_may_the_agent_ask_and_no_other_way(language: str, deed: str, said: str, others: str) -> None:
    assert asks(said, ask(deed, language))
    assert not asks(others, ask(deed, language))
