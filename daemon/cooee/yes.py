"""What is a yes, and to what: whether a question was put as it had to be, and whether an answer agrees to it. Pure.

Whatever is unclear is a no. Sentences are not understood here but compared: ours stands word for word behind one of a
few openings, and beside a yes there is nothing but politeness and the question's own words.
"""

import re
from collections.abc import Collection, Sequence


def words(text: str) -> tuple[str, ...]:
    plain = text.casefold().replace("\u2019", "'")
    return tuple("".join(letter if letter.isalnum() or letter == "'" else " " for letter in plain).split())


# fmt: off
_YES = tuple(words(yes) for yes in (
    "yes", "yeah", "yep", "yup", "sure", "absolutely", "definitely", "certainly", "affirmative", "confirmed",
    "of course", "do it", "please do", "go ahead", "please go ahead", "go for it", "i am sure", "i'm sure",
    "ja", "jawohl", "jazeker", "na klar", "natürlich", "oui", "bien sûr", "d'accord", "sí", "si", "sì", "sim", "claro",
    "claro que sí", "claro que sim", "certo",
))
_BESIDE_YES = frozenset(words(
    "yes yeah yep sure please thanks thank you do it that go ahead now i i'm am really of course"
    " the a an my our ja bitte danke gern gerne oui merci s'il te vous plaît sí si gracias por favor grazie per favore"
    " sim obrigado obrigada graag alsjeblieft"
))
_NOT = frozenset(words(
    "no not nope nah never don't dont won't can't cannot cancel without instead unless but except only"
    " nein nicht kein keine nie ohne sondern aber nur non pas ne rien sauf sans mais nee niet geen zonder maar"
    " nunca sin pero sino mai senza ma não nao nem sem mas"
))
_HESITANT = frozenset(("oh", "ah", "um", "uh", "hm", "hmm", "well", "ok", "okay"))
_OPENERS = re.compile(
    r"^(?:(?:oh|ah|hm|well|ok|okay|so|and|sure|all right|alright|also|gut|nun|bien|to confirm|to be sure) )+"
)
_SOFT = frozenset(words(
    "really please now just the a an my our your percent degrees"
    " wirklich bitte jetzt der die das den dem des ein eine einen le la les un une l'"
))
_WANTED = re.compile(
    r"^(?:are you (?:absolutely |quite |very )?sure (?:that )?)?"
    r"(?:(?:(?:do )?you want (?:me )?to|would you like (?:me )?to|(?:shall|should|may|can) i|i (?:shall|should)"
    r") )?"
)
_WANTED_ELSEWHERE = re.compile(
    r"(?:(?:soll|darf) ich|(?:möchtest|willst) du dass ich|(?:möchten|wollen) sie dass ich"
    r"|(?:est ce que )?(?:je dois|dois je)|(?:veux tu|voulez vous|vous voulez|tu veux) que(?: je)?"
    r"|(?:zal|moet|mag) ik|wil (?:je|u) dat ik|(?:devo|posso)|vuoi che(?: io)?|(?:debo|quieres|quiere) que(?: yo)?|debo"
    r"|(?:quer|queres) que(?: eu)?) "
)
_MEANT = frozenset(words("wirklich bitte vraiment realmente davvero echt mesmo"))
_SOFT_ELSEWHERE = frozenset(words(
    "le la les l' un une el los las il lo gli i o os a as het een het de het den des dem das die der"
    " wirklich bitte jetzt vraiment maintenant de verdad realmente ahora davvero adesso echt nu mesmo agora"
    " soll grad prozent degrés grados gradi graden graus pourcent"
))
_VERBS = {
    translated: words(verb)
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
    for translated in words(them)
}
"""What the deeds are called where the agent translates the question; a thing's own words it leaves as they are."""
_WANT = frozenset(words("do you want me to i shall should would like it that soll ich"))
_TAIL = re.compile(
    r"(?:(?:please|just|you can) )*(?:confirm|(?:say|tell me|answer(?: me)?(?: with)?)(?: a)? (?:yes|yes or no))"
    r"(?: to confirm| if (?:so|you are sure|you're sure))?"
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
    at = max((at for at, sentence in enumerate(sentences) if "?" in sentence), default=None)
    if at is None or not all(_TAIL.fullmatch(" ".join(words(each))) for each in sentences[at + 1 :]):
        return False
    if not _deed(question):
        return words(sentences[at]) == words(question)
    known = [_deed(each) for each in (question, *others)]
    before = [sentence for sentence in sentences[:at] if "?" in sentence]
    is_known = all(_deed(each) in (*known, ()) or any(_translates(each, it) for it in others) for each in before)
    return is_known and (_deed(sentences[at]) == known[0] or _translates(sentences[at], question))


def _translates(sentence: str, question: str) -> bool:
    """Whether it asks just this in another language, in which the deed may stand elsewhere."""
    asked = _asked_elsewhere(sentence)
    if asked is None or not _AND.isdisjoint(words(question)):
        return False
    return sorted(asked) == sorted(_asked_elsewhere(question) or _elsewhere(_deed(question)))


def _asked_elsewhere(sentence: str) -> list[str] | None:
    """What is asked about, if it is in another language than English."""
    plain = " ".join(word for word in words(sentence) if word not in _MEANT) + " "
    wanted = _WANTED_ELSEWHERE.match(_OPENERS.sub("", plain, count=1))
    return None if wanted is None else _elsewhere(_plain(wanted.string[wanted.end() :].split()))


def _elsewhere(said: Sequence[str]) -> list[str]:
    kept = [word for word in said if word not in _SOFT_ELSEWHERE]
    return [word for each in kept for word in _VERBS.get(each, (each,))]


def agrees(text: str, question: str, spoken: Collection[str], called: Sequence[str] = ()) -> bool:
    """A yes and nothing else, but perhaps words of the question.

    `spoken`: what the agent said itself, which may be its echo. `called`: the wake word, which may stand before.
    """
    said = words(text)
    if called and said[: len(called)] == tuple(called):
        said = said[len(called) :]
    while said and said[0] in _HESITANT:
        said = said[1:]
    yes = max((yes for yes in _YES if said[: len(yes)] == yes), key=len, default=None)
    if yes is None or re.search("[?\uff1f\u061f]", text):
        return False
    beside = said[len(yes) :]
    if set(spoken).issuperset(yes) and not set(spoken).isdisjoint(beside):
        return False
    return _NOT.isdisjoint(beside) and _names_it(beside, question)


def _names_it(beside: Sequence[str], question: str) -> bool:
    """Whether all this is of the question; and is all of it, where one could agree to a part."""
    named, deed = (
        [word for word in each if word not in _BESIDE_YES | _WANT] for each in (_plain(beside), _deed(question))
    )
    if named and not _AND.isdisjoint(words(question)):
        return sorted(named) == sorted(deed)
    numbers = [[word for word in each if word.isdigit()] for each in (named, deed)]
    return set(named) <= set(deed) and (not numbers[0] or numbers[0] == numbers[1])


def _sentences(text: str) -> list[str]:
    return [found for each in re.split(r"(?<=[.!?…])[\"')»\u201d\u2019]*\s+", text) if (found := each.strip())]


def _deed(sentence: str) -> tuple[str, ...]:
    """What a question asks about, without how it is asked; () where it asks about nothing of its own."""
    last = (_sentences(sentence) or [""])[-1]
    said = " ".join(word for word in words(last) if word not in _SOFT) + " "
    asked = _plain(_WANTED.sub("", _OPENERS.sub("", said, count=1), count=1).split())
    # "Turn the lamp on" is "turn on the lamp".
    return (*(word for word in asked if word not in _ENDS), *(word for word in asked if word in _ENDS))


def _plain(said: Sequence[str]) -> list[str]:
    """With numbers in digits, and one word for one deed."""
    found: list[str] = []
    tens = 0
    for word in said:
        number = _NUMBERS.get(word)
        if number is not None and tens and 0 < number < 10:
            found[-1] = str(tens + number)
        elif word not in _SOFT:
            found.append("switch" if word == "turn" else word if number is None else str(number))
        tens = number if number is not None and number >= 20 else 0
    return found
