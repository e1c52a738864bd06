"""The question before a deed, in the language that the agent speaks: a thing by its own name, then what is done. Pure.

"Die Haustür: wirklich öffnen?" has no cases and no genders that a description would have to fit.
"""

import re

# fmt: off
_VERBS = (
    "open", "close", "lock", "unlock", "switch on", "switch off", "start", "stop", "arm", "disarm", "run", "activate",
    "operate",
)
_DEEDS = {
    language: dict(zip(_VERBS, deeds.split(), strict=True)) for language, deeds in {
        "de": "öffnen schließen abschließen aufschließen einschalten ausschalten starten anhalten scharfschalten"
              " entschärfen ausführen aktivieren betätigen",
        "fr": "ouvrir fermer verrouiller déverrouiller allumer éteindre démarrer arrêter armer désarmer exécuter"
              " activer actionner",
        "es": "abrir cerrar bloquear desbloquear encender apagar iniciar parar armar desarmar ejecutar activar"
              " accionar",
        "it": "aprire chiudere bloccare sbloccare accendere spegnere avviare fermare inserire disinserire eseguire"
              " attivare azionare",
        "nl": "openen sluiten vergrendelen ontgrendelen inschakelen uitschakelen starten stoppen inschakelen"
              " uitschakelen uitvoeren activeren bedienen",
        "pt": "abrir fechar trancar destrancar ligar desligar iniciar parar armar desarmar executar ativar acionar",
    }.items()
}
_SET = {
    "de": "auf {} stellen", "fr": "régler à {}", "es": "poner a {}", "it": "impostare a {}", "nl": "op {} zetten",
    "pt": "definir para {}",
}
_FORMS = {
    "de": "{}: wirklich {}?", "fr": "{} : vraiment {} ?", "es": "{}: ¿realmente {}?", "it": "{}: davvero {}?",
    "nl": "{}: echt {}?", "pt": "{}: realmente {}?",
}
_DEGREES = {"de": "Grad", "fr": "degrés", "es": "grados", "it": "gradi", "nl": "graden", "pt": "graus"}
_OPENS = {
    "de": r"(?:tür|\b(?:garagen|hof|garten|roll|schiebe|einfahrts?)?tor|pforte|garage|schranke)$",
    "nl": r"(?:deur|poort|garage|slagboom|hek)$",
    "fr": r"^(?:porte|portail|portillon|garage|barrière)$",
    "es": r"^(?:puerta|portón|portal|garaje|cancela|barrera)$",
    "it": r"^(?:porta|portone|cancello|cancelletto|garage|sbarra)$",
    "pt": r"^(?:porta|portão|garagem|cancela)$",
}
"""Heads of what is opened when it is operated for a moment."""
# fmt: on
_QUESTION = re.compile(
    rf"Do you really want me to (?:(?P<verb>{'|'.join(_VERBS)}) |(?:set|move) (?=.* to ))(?:the )?(?P<thing>.+?)\?"
)
_OF = re.compile(
    r"(?<=\w) (?:der|des|von|vom|am|an|im|in|vor|für|de|del|della|dello|di|da|do|du|van|het|en|para|per|pour)\b"
    r"| (?=d['\u2019]|dell['\u2019])"
)
_ARTICLES = re.compile(r"^(?:der|die|das|le|la|les|el|il|lo|de|het|o|a|l['\u2019]) ?\b", re.IGNORECASE)


def in_language(question: str, language: str) -> str:
    """Ours in another language ("de", "fr", "es", "it", "nl", "pt"); as it is where that can't be said."""
    asked = _QUESTION.fullmatch(question)
    if asked is None or language not in _DEEDS:
        return question
    thing, verb = asked["thing"], asked["verb"]
    if verb is None:
        thing, _, value = thing.rpartition(" to ")
        deed = _SET[language].format(_value(value, language))
    else:
        deed = _DEEDS[language]["open" if verb == "operate" and _opens(thing, language) else verb]
    return _FORMS[language].format(thing[:1].upper() + thing[1:], deed)


def _value(value: str, language: str) -> str:
    return re.sub(r"\bpercent\b", "%", re.sub(r"\bdegrees\b", _DEGREES[language], value))


def _opens(thing: str, language: str) -> bool:
    """By its head: the last word in German and Dutch, the first one elsewhere."""
    head = _ARTICLES.sub("", _OF.split(thing, maxsplit=1)[0].strip()).casefold().split()
    return bool(head and re.search(_OPENS[language], head[-1 if language in ("de", "nl") else 0]))
