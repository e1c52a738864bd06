"""From a sentence to calls of the functions that the client declared, whichever those are. It never guesses."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cooee.agent.embedded import phrases
from cooee.agent.embedded.filling import Candidate, candidate, measured, number_heard
from cooee.agent.embedded.names import ARTICLES
from cooee.agent.embedded.skill import Skill, fits, skill
from cooee.agent.embedded.targets import amounts, lists, targets
from cooee.agent.embedded.tidy import only_mumbling, plain, stated, tidy, unaddressed, without_mumbling
from cooee.agent.embedded.understood import Ambiguous, Asked, Call, Calls, Dismissed, Nothing, OutOfRange, Understood

_NEGATED = re.compile(
    r"\b(?:don't|dont|do not|doesn't|never|not|no longer|without|except|unless|instead of|rather than"
    r"|won't|can't|cannot|shouldn't|if|when|until)\b"
)
_STILL = re.compile(r"^(?:never mind|nevermind)\b")
_SOUND = (
    r"^(?:a (?:bit|little) |much )?(?:(?:make it |be )?(?:{words})"
    r"|(?:speak|turn it|turn that|turn the sound) {way}(?: a (?:bit|little))?)$"
)
_LOUDER = {
    "up": re.compile(_SOUND.format(words="louder", way="up")),
    "down": re.compile(_SOUND.format(words="quieter|softer", way="down")),
}
_ONE_WAY = re.compile(r"(?:open|unlock)\b(?!.*\b(?:all|both|every|each)\b)")
_PLACED_LAST = re.compile(r"^(.+) (on|off) ((?:in|on|at) the .+)$")
_IT = re.compile(r"\b(?:it|that one|this one|that|this|them)\b")


class Grammar:
    """What can be said to some functions, given as the protocol declares them (name, description, parameters)."""

    def __init__(self, functions: Iterable[Mapping[str, Any]], keyterms: Iterable[str] = ()) -> None:
        self.skills = {found.name: found for function in functions if (found := skill(function)) and found.name}
        self._targets = targets(self.skills.values())
        self._lists = lists(self._targets, self.skills.values())
        spoken = {name for target in self._targets for name in (*target.names, *target.short)}
        self._keyterms = tuple(term for term in keyterms if tidy(term) and tidy(term) not in spoken)
        self._nouns = "|".join(re.escape(name) for name in sorted(spoken, key=len, reverse=True))
        self.labels = tuple(dict.fromkeys(target.label for target in self._targets))
        self._stop = next((found for found in self.skills.values() if _stops_listening(found)), None)

    def unaddressed(self, text: str) -> str:
        """The sentence without the wake phrase at its head."""
        return unaddressed(text, self._keyterms)

    def heard(self, text: str) -> str:
        """The sentence as it is to be followed: also a wake phrase that was spelled beyond recognition is cut off,
        at either end, if then, and only then, the rest is understood. Empty if there was nothing but the wake phrase.
        """
        text = self.unaddressed(text)
        if self._keyterms and isinstance(self.parse(text), Nothing):
            for rest in without_mumbling(text, self._keyterms):
                if not isinstance(self.parse(rest), Nothing):
                    return rest
            return "" if only_mumbling(text, self._keyterms) else text
        return text

    def parse(self, text: str, it: str | None = None) -> Understood:
        """What the sentence asks for. `it`: the function that was talked of last, for "turn it off"."""
        text = stated(self.unaddressed(text))
        words = plain(tidy(text)) or tidy(text)
        if _NEGATED.search(words) and not _STILL.match(words):
            return Nothing()
        found = self._clause(words, it)
        found = self._clause(tidy(text), it) if isinstance(found, Nothing) else found
        if isinstance(found, Nothing):
            return self._several(text, it)
        several = self._several(text, it) if isinstance(found, Ambiguous) and not _ONE_WAY.match(words) else None
        return several if isinstance(several, Calls) else found

    def fill(self, call: Call, text: str) -> Call | OutOfRange | None:
        """The call with its first missing parameter from an answer such as "forty percent"; None if it is none."""
        found, parameter = self.skills.get(call.name), next(iter(call.missing), None)
        words = plain(tidy(self.unaddressed(text)))
        if found is None or parameter is None or not words:
            return None
        value = self._answer(found, parameter, words, text)
        if value is None or isinstance(value, OutOfRange):
            return value
        filled = {**call.arguments, parameter: value}
        return replace(call, arguments=filled, missing=found.missing(filled))

    def choose(self, options: Sequence[tuple[str, Call]], text: str) -> Call | None:
        """The one of several options that an answer such as "the desk lamp" or "the first one" names."""
        words = re.sub(rf"^(?:{ARTICLES}) | (?:1|one)$", "", plain(tidy(text)))
        count = {"first": 0, "second": 1, "third": 2, "last": -1}.get(words)
        if count is not None and count < len(options):
            return options[count][1]
        named = {target.key for target in self._targets if words in (*target.names, *target.short)}
        chosen = [call for label, call in options if words == label or (words and words in label.split())]
        chosen = chosen or [call for _, call in options if any(_matches(key, call) for key in named)]
        return chosen[0] if len(chosen) == 1 else None

    def sentences(self) -> Iterator[str]:
        """Samples of what is understood, for a language model; also with the wake phrase before them."""
        from cooee.agent.embedded.samples import samples

        for sentence in samples(self._targets, self.skills.values()):
            yield sentence
            yield from (f"{tidy(keyterm)} {sentence}" for keyterm in self._keyterms[:2])

    def _several(self, text: str, it: str | None) -> Understood:
        """Several commands in one breath; all of them must be understood."""
        joined = tidy(re.sub(r"[,;.!?]+(?=\s|$)", " and ", self.unaddressed(text)))
        joined = re.sub(r"(?:\b(?:and|then|also)\b ?)+", "and ", joined + " ").strip()
        # An "and" at the head stays and makes no sense: "And lock the door" may well have been "Unlock the door".
        joined = joined.removesuffix(" and")
        found = self._one_by_one(self._spread(self._plural(joined)), text, it)
        # "Turn off the lamp and lock the door": a lock is a thing, too.
        return self._one_by_one([joined], text, it) if isinstance(found, Nothing) else found

    def _one_by_one(self, wholes: Iterable[str], text: str, it: str | None) -> Understood:
        clauses = [plain(part) for whole in wholes for part in re.split(r"(?<!^) and ", whole) if plain(part)]
        if len(clauses) < 2:
            return self._clause(clauses[0], it) if clauses and clauses != [plain(tidy(text))] else Nothing()
        calls: list[Call] = []
        for clause in clauses:
            found = self._clause(clause, calls[-1].name if calls else it)
            if not isinstance(found, Calls):
                return found if isinstance(found, Ambiguous | OutOfRange) else Nothing()
            calls += [call for call in found.calls if call not in calls]
        return Calls(tuple(calls))

    def _spread(self, words: str) -> list[str]:
        """Of "turn the lamp and the fan off" -> the same sentence for the lamp, and for the fan."""
        noun = rf"(?:(?:{ARTICLES}) )?(?:{self._nouns})"
        match = self._nouns and re.search(rf"\b{noun}(?: and {noun})+\b", words)
        if not match:
            return [words]
        return [words[: match.start()] + one + words[match.end() :] for one in match[0].split(" and ")]

    def _plural(self, words: str) -> str:
        """For several that share a short name: "all the lamps" -> "the desk lamp and the floor lamp"."""
        for one, labels in self._shared().items():
            labels = [label for label in labels if label.startswith("all ")] or labels
            all_ = r"(?:all|both)(?: of)? (?:(?:the|my|our) )?"
            some = rf"(?:the |my |our |any |any of the )?{re.escape(one)}s"
            every = rf"\b(?:{all_}{re.escape(one)}s?|(?:every|each|both) {re.escape(one)}|{some})\b"
            words = re.sub(every, " and ".join(f"the {label}" for label in labels), words)
        return words

    def _shared(self) -> dict[str, list[str]]:
        """What each short name, in the singular, may mean."""
        shared: dict[str, list[str]] = {}
        for target in self._targets:
            for one in {short.removesuffix("s") for short in target.short}:
                shared.setdefault(one, []).append(target.label)
        return {one: list(dict.fromkeys(labels)) for one, labels in shared.items() if len(labels) > 1}

    def _clause(self, words: str, it: str | None) -> Understood:
        found = self._matched(words)
        if isinstance(found, Nothing):
            for way, pattern in _LOUDER.items():
                if pattern.match(words) and not (it in self.skills and way in self.skills[it].verbs):
                    found = self._matched(f"volume {way}")
        if isinstance(found, Nothing) and (moved := _PLACED_LAST.sub(r"\1 \3 \2", words)) != words:
            found = self._matched(moved)
        if isinstance(found, Nothing) and it in self.skills and _IT.search(words):
            found = self._matched(_IT.sub(self.skills[it].names.label, words, count=1))
        return found

    def _matched(self, words: str) -> Understood:
        from hassil import recognize_all

        if not words:
            return Nothing()
        kinds: set[str] = set()
        candidates: list[Candidate] = []
        for result in recognize_all(words, phrases.own(), slot_lists=self._lists | amounts(words)):
            kinds.add(result.intent.name)
            entities = {name: entity.value for name, entity in result.entities.items()}
            candidates += self._candidates(result.intent.name, entities)
        if candidates and (min(candidates, key=lambda c: c.rank).kind != "bare" or not kinds & {"time", "date"}):
            return self._decided(candidates)
        plainly: Understood = Nothing()
        if "dismiss" in kinds:
            plainly = Dismissed(Call(self._stop.name, {}, ()) if self._stop else None)
        about = next((about for about in ("time", "date", "help") if about in kinds), None)
        if about == "time" or about == "date" or about == "help":
            plainly = Asked(about)
        return plainly if not isinstance(plainly, Nothing) else self._decided(self._theirs(words))

    def _theirs(self, words: str) -> list[Candidate]:
        """The same by Home Assistant's grammar, which knows more ways to put it."""
        from hassil import recognize_all

        found: list[Candidate] = []
        for result in recognize_all(words, phrases.home_assistant(), slot_lists=self._lists):
            entities = {name: entity.value for name, entity in result.entities.items()}
            meaning = phrases.meaning(result.intent.name, str(result.context.get("domain")), entities)
            if meaning:
                found += self._candidates(meaning[0], {**meaning[1], "name": entities.get("name")})
        return found

    def _candidates(self, kind: str, entities: Mapping[str, Any]) -> list[Candidate]:
        if kind == "how":
            found = [one for target in self._targets if (one := measured(target, entities))]
            return found or [one for target in self._targets if (one := measured(target, entities, phrases.ELSE))]
        if kind == "its_value":
            every = (candidate(kind, target, entities, short=True) for target in self._targets if not target.fixed)
            return [one for one in every if one]
        named = entities.get("name") or entities.get("phrase")
        if not named:
            return []
        index, short = named
        if kind == "phrase_text" and short and re.search(rf"\b(?:{self._nouns})\b", str(entities["text"])):
            return []
        one = candidate(kind, self._targets[index], entities, short=short)
        return [one] if one else []

    def _decided(self, candidates: Sequence[Candidate]) -> Understood:
        if not candidates:
            return Nothing()
        best = min(found.rank for found in candidates)
        kept: dict[tuple[str, str], Candidate] = {}
        for found in candidates:
            if found.rank == best:
                kept.setdefault(found.target.key, found)
        everything = [found for found in kept.values() if found.target.label.startswith("all ")]
        if len(everything) == 1 and len(kept) > 1:
            kept = {everything[0].target.key: everything[0]}
        first = next(iter(kept.values()))
        other = len({found.target.label for found in kept.values()}) > 1
        if other or (len(kept) > 1 and not first.call.missing) or self._unsure(first):
            return Ambiguous(tuple((_label(c, kept.values()), c.call) for c in kept.values()))
        return first.refused or Calls((first.call,))

    def _unsure(self, found: Candidate) -> bool:
        """Whether to ask before opening "the door" when there are several doors, if only one can be opened."""
        if not found.short or found.kind not in ("open", "unlock"):
            return False
        others = [target for target in self._targets if target.label != found.target.label]
        return any(set(found.target.short) & {*other.names, *other.short} for other in others)

    def _answer(self, found: Skill, parameter: str, words: str, text: str) -> Any:
        words = re.sub(r"^(?:to|at|for|on|make it|set it to|the|it's|it is) ", "", words)
        spoken = {**found.spoken(parameter)}
        verbs = {verb: given[parameter] for verb, given in found.verbs.items() if parameter in given}
        value = spoken.get(words, verbs.get(words))
        number = next((number for number in found.numbers if number.parameter == parameter), None)
        if number:
            return number_heard(found, number, words)
        if value is None and parameter in found.texts and len(words) < 200:
            value = words
        return value if value is not None and fits(value, found.properties[parameter]) else None


def _label(candidate: Candidate, others: Iterable[Candidate]) -> str:
    same = [other for other in others if other.target.label == candidate.target.label]
    described = re.split(r"[.;:\n]", candidate.target.skill.description, maxsplit=1)[0]
    return candidate.target.label if len(same) == 1 else described or candidate.call.name


def _matches(key: tuple[str, str], call: Call) -> bool:
    return call.name == key[0]


def _stops_listening(found: Skill) -> bool:
    text = f"{found.name.replace('_', ' ')} {found.description}".lower()
    ends = r"\b(?:stops?|quits?|ends?|finish(?:es)?)\b[\w ]{0,20}\b(?:listening|conversation|talking)\b|\bto sleep\b"
    return not found.required and re.search(ends, text) is not None
