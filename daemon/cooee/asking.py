"""Whether a question was put as it had to be. Pure.

Sentences are not understood here but compared: ours stands word for word behind one of a few openings, or, where the
agent speaks another language, with the words of the thing untouched and those of the deed translated.
"""

import re
from collections.abc import Collection, Sequence


def words(text: str) -> tuple[str, ...]:
    plain = text.casefold().replace("\u2019", "'")
    return tuple("".join(letter if letter.isalnum() or letter == "'" else " " for letter in plain).split())


# fmt: off
_OPENERS = re.compile(
    r"^(?:(?:oh|ah|hm|well|ok|okay|so|and|sure|all right|alright|also|gut|nun|bien|(?:to )?(?:double )?check(?:ing)?"
    r"|to confirm|confirming|to be sure|to make sure|making sure|let me check"
    r"|(?:(?:can|could|do) you )?confirm(?: that)?|nur zur sicherheit|de verdad"
    r"|i need (?:confirmation|yes)|before i do(?: that| so| it)?) )+"
)
_SOFT = frozenset(words(
    "really please now just the a an my our your percent degrees"
    " wirklich bitte jetzt der die das den dem des ein eine einen le la les un une l'"
))
_WANTED = re.compile(
    r"^(?:are you (?:absolutely |quite |very )?sure (?:that )?)?"
    r"(?:(?:(?:do )?you want (?:me )?to|(?:would you|you'd|you would) like (?:me )?to|(?:shall|should|may|can) i"
    r"|i (?:shall|should)|is it (?:ok|okay|all right|alright) (?:if i|for me to)) (?:go ahead and )?)?"
)
_WANTED_ELSEWHERE = re.compile(
    r"(?:(?:bist du|sind sie)(?: dir| sich)? sicher dass (?:ich|du|sie)|(?:soll|darf) ich"
    r"|(?:möchtest|willst) du(?: dass ich)?|(?:möchten|wollen) sie(?: dass ich)?"
    r"|(?:est ce que )?(?:je dois|dois je)|(?:veux tu|voulez vous|vous voulez|tu veux)(?: que(?: je)?)?"
    r"|(?:zal|moet|mag) ik|wil (?:je|u)(?: dat ik)?|(?:devo|posso|debo)|(?:vuoi|vuole)(?: che(?: io)?)?"
    r"|(?:quieres|quiere|desea)(?: que(?: yo)?)?|(?:quer|queres|deseja)(?: que(?: eu)?)?) "
)
_MEANT = frozenset(words("wirklich bitte vraiment realmente davvero echt mesmo"))
_SOFT_ELSEWHERE = frozenset(words(
    "le la les l' un une el los las il lo gli i o os a as het een het de het den des dem das die der"
    " wirklich bitte jetzt vraiment maintenant de verdad realmente ahora davvero adesso echt nu mesmo agora"
    " soll möchtest möchten willst wollen grad prozent degrés grados gradi graden graus pourcent"
))
_VERBS = {
    foreign: words(verb)
    for verb, them in (
        ("open", "öffnen öffne aufmachen ouvrir ouvre j'ouvre abrir abra aprire apra openen open"),
        ("close", "schließen schließe zumachen fermer ferme cerrar cierre chiudere chiuda sluiten sluit fechar feche"),
        ("lock", "abschließen abschließe verriegeln verriegle verrouiller verrouille vergrendelen vergrendel"),
        ("lock", "trancar tranque"),
        ("unlock", "aufschließen aufschließe entriegeln entriegle déverrouiller déverrouille sbloccare sblocchi"),
        ("unlock", "desbloquear desbloquee ontgrendelen ontgrendel destrancar destranque"),
        ("switch on", "einschalten einschalte anschalten anschalte anmachen anmache allumer allume j'allume encender"),
        ("switch on", "encienda accendere accenda inschakelen inschakel aanzetten aanzet ligar ligue"),
        ("switch off", "ausschalten ausschalte abschalten abschalte ausmachen ausmache éteindre éteigne j'éteigne"),
        ("switch off", "apagar apague spegnere spenga uitschakelen uitschakel uitzetten uitzet desligar desligue"),
        ("operate", "betätigen betätige bedienen bediene actionner actionne j'actionne accionar accione"),
        ("operate", "azionare azioni acionar acione bedien"),
        ("set", "stellen stelle setzen setze régler règle mettre mette poner ponga impostare imposti zetten zet"),
        ("set", "definir defina"),
        ("to", "auf à op em"),
    )
    for foreign in words(them)
}
"""What the deeds are called where the agent translates the question; a thing's own words it leaves as they are."""
_TAIL = re.compile(
    r"(?:(?:please|just|you can) )*(?:confirm|(?:say|tell me|answer(?: me)?(?: with)?)(?: a)? (?:yes|yes or no))"
    r"(?: to confirm| if (?:so|you are sure|you're sure))?"
    r"|yes or no|(?:is that )?(?:correct|right|ok|okay)"
    r"|ja oder nein|oui ou non|sí o no|sì o no|sim ou não|ja of nee|bitte bestätigen(?: sie)?|bitte bestätige"
)
_BEHIND = re.compile(
    r"(?: for you"
    r"| (?:ok|okay|right|correct|yes or no|ja oder nein|oui ou non|sí o no|sì o no|sim ou não|ja of nee))+ ?$"
)
_ENDS = frozenset(("on", "off"))
_AND = frozenset(("and", "or", "und", "oder", "et", "ou", "y", "o", "e", "en"))
_SMALL = words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_TENS = words("twenty thirty forty fifty sixty seventy eighty ninety")
# fmt: on
_NUMBERS = {word: n for n, word in enumerate(_SMALL)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}


def asks(text: str, question: str, others: Collection[str] = ()) -> bool:
    """Whether the text ends with this question, and asks nothing else but perhaps one of the others before it.

    Behind it there may only be that a yes is waited for.
    """
    sentences = _sentences(text)
    while sentences and _TAIL.fullmatch(" ".join(words(sentences[-1]))):
        sentences.pop()
    if not sentences or "?" not in sentences[-1]:
        return False
    if not deed(question):
        return words(sentences[-1]) == words(question)
    before = [sentence for sentence in sentences[:-1] if "?" in sentence]
    is_known = all(not deed(each) or any(_is(each, known) for known in (question, *others)) for each in before)
    return is_known and _is(sentences[-1], question)


def _is(sentence: str, question: str) -> bool:
    ours = deed(question)
    return deed(sentence) == ours or unlocking(deed(sentence), ours) == ours or _translates(sentence, question)


def unlocking(said: Sequence[str], ours: Collection[str]) -> tuple[str, ...]:
    """Who says that a door is to be opened has its lock in mind, too."""
    return tuple("unlock" if word == "open" and "unlock" in ours else word for word in said)


def has_parts(question: str) -> bool:
    """Whether one could agree to a part of it. What stands first joins nothing: it is an article, "O portão"."""
    return not _AND.isdisjoint(words(question)[1:])


def _translates(sentence: str, question: str) -> bool:
    """Whether it asks just this in another language, in which the deed may stand elsewhere."""
    asked = _asked_elsewhere(sentence)
    if asked is None or has_parts(question):
        return False
    ours = sorted(_asked_elsewhere(question) or translated(deed(question)))
    return sorted(asked) == ours or sorted(unlocking(asked, ours)) == ours


def _asked_elsewhere(sentence: str) -> list[str] | None:
    """What is asked about, if it is in another language than English."""
    plain = " ".join(word for word in words(sentence) if word not in _MEANT) + " "
    wanted = _WANTED_ELSEWHERE.match(_OPENERS.sub("", plain, count=1))
    return None if wanted is None else translated(in_digits(wanted.string[wanted.end() :].split()))


def translated(said: Sequence[str]) -> list[str]:
    kept = [word for word in said if word not in _SOFT_ELSEWHERE]
    return [word for each in kept for word in _VERBS.get(each, (each,))]


def _sentences(text: str) -> list[str]:
    return [found for each in re.split(r"(?<=[.!?…])[\"')»\u201d\u2019]*\s+", text) if (found := each.strip())]


def deed(sentence: str) -> tuple[str, ...]:
    """What a question asks about, without how it is asked; () where it asks about nothing of its own."""
    last = (_sentences(sentence) or [""])[-1]
    said = _BEHIND.sub("", " ".join(word for word in words(last) if word not in _SOFT)) + " "
    asked = in_digits(_WANTED.sub("", _OPENERS.sub("", said, count=1), count=1).split())
    # "Turn the lamp on" is "turn on the lamp".
    return (*(word for word in asked if word not in _ENDS), *(word for word in asked if word in _ENDS))


def in_digits(said: Sequence[str]) -> list[str]:
    """The words that tell something: with numbers in digits, and one word for one deed."""
    found: list[str] = []
    tens = 0
    for word in said:
        number = _NUMBERS.get(word)
        if number is not None and tens and 0 < number < 10:
            found[-1] = str(tens + number)
        elif word not in _SOFT and not (found and found[-1].isdigit() and word in ("c", "celsius")):
            found.append("switch" if word == "turn" else word if number is None else str(number))
        tens = number if number is not None and number >= 20 else 0
    return found
