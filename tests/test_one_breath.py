"""Wake phrase and command in one breath, through the wake word and the conversation as they are shipped."""

from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from cooee import settings
from cooee.conversation import Conversation
from cooee.effects import Effect, Send
from cooee.events import Heard
from cooee.wake import FRAME_S, Wake
from one_breath import FIRST_WORD_S, Utterance, recorded, synthesised
from voices import RATE_HZ

pytestmark = pytest.mark.slow

FRAME_SAMPLES = round(FRAME_S * RATE_HZ)


def sent(wake: Wake, samples: NDArray[np.int16]) -> bytes | None:
    """All audio that the conversation would send to the agent; None if it never wakes."""
    wake.reset()
    conversation = Conversation(settings.Conversation(), keep_s=600.0, harmless=frozenset())
    effects: list[Effect] = []
    for number, start in enumerate(range(0, len(samples) - FRAME_SAMPLES + 1, FRAME_SAMPLES), 1):
        frame, now_s = samples[start : start + FRAME_SAMPLES].astype("<i2").tobytes(), number * FRAME_S
        score, word = wake.score(frame)
        effects += conversation.handle(Heard(frame, now_s, score, word), now_s)
    frames = [each.frame for each in effects if isinstance(each, Send)]
    return b"".join(frames) if frames else None


def kept(wake: Wake, utterances: Iterable[Utterance]) -> tuple[int, list[str], int]:
    """How many there are, those whose first word was cut, and how many woke."""
    count = woke = 0
    cut = []
    for utterance in utterances:
        count += 1
        audio = sent(wake, utterance.samples)
        if audio is None:
            continue
        woke += 1
        first = utterance.samples[utterance.command_starts_at :][: round(FIRST_WORD_S * RATE_HZ)]
        if first.astype("<i2").tobytes() not in audio:
            cut.append(utterance.name)
    return count, cut, woke


@pytest.mark.timeout(300)
def test_the_first_word_behind_the_wake_phrase_is_never_lost(capsys: pytest.CaptureFixture[str]) -> None:
    count, cut, woke = kept(Wake(settings.Wake()), (*synthesised(), *recorded()))
    with capsys.disabled():
        print(f"\none breath: {woke} of {count} woke, {woke - len(cut)} of {woke} kept the first word")
    assert not cut
    assert count >= 20 and woke >= 0.8 * count


def test_nothing_is_sent_without_the_wake_phrase() -> None:
    utterance = next(iter(synthesised()))
    assert sent(Wake(settings.Wake()), utterance.samples[utterance.command_starts_at :]) is None
