"""What the record of a turn tells: measured on the real conversation, with made-up frames and times."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cooee import events as on
from cooee.cli import main
from cooee.conversation import Conversation
from cooee.effects import Act, Effect, OpenUplink, Phase, Play, Show, Tell
from cooee.events import Call, Event, Trouble
from cooee.settings import Conversation as Settings
from cooee.store import FILE, Store
from cooee.turns import Ran, Turn, Turns
from cooee.turns._speech import Speech
from cooee.turns.log import TurnLog
from voices import Voice, noise, say

FRAME_S = 0.08
NOISE = np.random.default_rng(0).normal(0, 1, 1280)
STARTED = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)
MARKER = "xyzzy"


def frame(level_dbfs: float = -60.0) -> bytes:
    return (NOISE * 32768 * 10 ** (level_dbfs / 20)).astype("<i2").tobytes()


class Room:
    """The conversation and whoever watches it; `now` is in seconds, and frames come while it passes."""

    def __init__(self, **settings: object) -> None:
        self.now = 0.0
        self.kept: list[Turn] = []
        self.effects: list[Effect] = []
        self._conversation = Conversation(Settings(**settings), keep_s=600.0, harmless=frozenset())
        self._turns = Turns(self.kept.append, lambda: STARTED + timedelta(seconds=self.now))

    @property
    def turn(self) -> int:
        return self._conversation.turn

    def happen(self, *events: Event) -> None:
        for event in events:
            self._turns.watch(self.now, event)
            for effect in self._conversation.handle(event, self.now):
                self.effects.append(effect)
                self._turns.watch(self.now, effect)

    def pass_s(self, seconds: float, level_dbfs: float = -60.0) -> None:
        for _ in range(round(seconds / FRAME_S)):
            self.now += FRAME_S
            self.happen(on.Heard(frame(level_dbfs)))

    def line_up(self, request_id: str = "line-1", *, is_fallback: bool = False) -> None:
        self.happen(on.SessionUp(request_id, is_fallback), on.SettingsApplied())

    def wake(self) -> None:
        self.happen(on.Heard(frame(-20), wake="hey_jarvis"))

    def ask(self, text: str = "what time is it") -> None:
        self.pass_s(0.4, -20)
        self.happen(on.UserStarted())
        self.pass_s(0.8, -20)
        self.pass_s(0.8)
        self.happen(on.UserText(text))

    def reply(self, seconds: float = 1.6) -> None:
        self.happen(on.AgentSpeech(bytes(round(48_000 * seconds))), on.AgentDone())
        self.now += 0.04
        self.happen(on.Sounded(self.turn))
        self.pass_s(seconds)
        self.happen(on.Spoken(self.turn, seconds))

    def rest(self) -> None:
        self.pass_s(8)
        assert not self._conversation.is_listening


@pytest.fixture
def room() -> Room:
    room = Room()
    room.line_up()
    return room


def test_a_turn_tells_where_its_time_went(room: Room) -> None:
    room.pass_s(1.6)
    room.wake()
    room.now += 0.01
    room.happen(on.Lit(room.turn, "listening"))
    room.now += 0.01
    room.happen(on.Uplinked(room.turn))
    room.ask()
    room.pass_s(0.4)
    room.reply()
    room.rest()
    (turn,) = room.kept
    assert turn == Turn(
        number=1,
        started="2026-03-01T18:30:01+00:00",
        began="wake",
        ended="answered",
        request_id="line-1",
        wake_to_light_s=0.01,
        wake_to_uplink_s=0.02,
        speech_to_reply_s=1.2,
        reply_to_sound_s=0.04,
        reply_s=1.6,
    )


def test_a_turn_is_one_line_in_the_journal(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "cooee.turns")
    room.wake()
    room.ask()
    room.happen(on.LatencyReported({"total_latency": 0.9}))
    room.reply()
    room.rest()
    assert [record.getMessage() for record in caplog.records] == [
        "turn 1 answered: began=wake request_id=line-1 speech_to_reply_s=0.8 reply_to_sound_s=0.04 reply_s=1.6 "
        "total_latency=0.9"
    ]


def test_words_after_a_reply_are_a_turn_and_an_unused_chance_is_none(room: Room) -> None:
    room.wake()
    room.ask()
    room.reply()
    room.pass_s(2.4)
    room.ask()
    room.reply()
    room.rest()
    assert [(turn.began, turn.ended) for turn in room.kept] == [("wake", "answered"), ("follow_up", "answered")]
    assert room.kept[1].wake_to_light_s is None
    assert room.kept[1].started > room.kept[0].started


def test_waking_a_speaker_that_listens_anyway_begins_there(room: Room) -> None:
    room.wake()
    room.ask()
    room.reply()
    room.pass_s(2.4)
    room.wake()
    room.rest()
    assert [(turn.began, turn.ended) for turn in room.kept] == [("wake", "answered"), ("wake", "no_speech")]


def test_a_button_without_words_is_a_turn_of_which_nothing_came(room: Room) -> None:
    room.happen(on.Summoned("button"))
    room.rest()
    assert [(turn.began, turn.ended, turn.reply_s) for turn in room.kept] == [("button", "no_speech", 0)]


def test_a_reply_that_is_hushed_says_how_much_of_it_sounded(room: Room) -> None:
    room.wake()
    room.ask()
    room.happen(on.AgentSpeech(bytes(96_000)), on.AgentDone(), on.Sounded(room.turn))
    room.pass_s(0.8)
    room.wake()
    room.happen(on.Hushed(1, 1.2))
    room.ask()
    room.reply()
    room.rest()
    assert [(turn.number, turn.began, turn.ended, turn.reply_s) for turn in room.kept] == [
        (1, "wake", "hushed", 0.8),
        (2, "wake", "answered", 1.6),
    ]


def test_a_voice_that_breaks_into_a_reply_begins_a_turn() -> None:
    room = Room(barge_in="voice")
    room.line_up()
    room.wake()
    room.ask()
    room.happen(on.AgentSpeech(bytes(96_000)), on.Sounded(room.turn))
    room.ask()
    room.happen(on.AgentDone())
    room.reply()
    room.rest()
    assert [(turn.began, turn.ended) for turn in room.kept] == [("wake", "hushed"), ("barge_in", "answered")]


def test_two_replies_around_a_function_are_one_turn(room: Room) -> None:
    room.wake()
    room.ask()
    room.happen(on.AgentSpeech(bytes(38_400)), on.AgentDone(), on.Sounded(room.turn))
    room.happen(on.Asked((Call("c1", "desk_lamp", {"state": "on"}),)))
    (act,) = [effect for effect in room.effects if isinstance(effect, Act)]
    room.now += 0.12
    room.happen(on.Acted(act.turn, "c1", "desk_lamp", "It is on.", True))
    first = room.turn
    room.happen(on.AgentText("It is on."), on.AgentSpeech(bytes(76_800)), on.AgentDone())
    room.pass_s(0.8)
    room.happen(on.Spoken(first, 0.8), on.Sounded(room.turn))
    room.pass_s(1.6)
    room.happen(on.Spoken(room.turn, 1.6))
    room.rest()
    (turn,) = room.kept
    assert (turn.ended, turn.functions) == ("answered", (Ran("desk_lamp", 0.12),))
    assert turn.reply_s == pytest.approx(2.4)
    assert turn.reply_to_sound_s == 0, "of the first reply"


def test_reports_in_pieces_are_one_with_the_last_of_each(room: Room) -> None:
    room.wake()
    for stt in (0.5, 0.3, 0.2):
        room.happen(on.LatencyReported({"stt_latency": stt}))
    room.ask()
    room.happen(on.LatencyReported({"ttt_token_latency": 0.41236}), on.LatencyReported({"tts_latency": float("nan")}))
    room.reply()
    room.rest()
    assert room.kept[0].latency == {"stt_latency": 0.2, "ttt_token_latency": 0.412}


def test_a_stand_in_and_why_it_was_needed_are_told(room: Room) -> None:
    room.wake()
    room.pass_s(0.4, -20)
    room.happen(on.SessionDown("frozen", Trouble.NETWORK))
    room.line_up("stand-in", is_fallback=True)
    room.ask()
    room.reply(4.8)
    room.rest()
    (turn,) = room.kept
    assert (turn.ended, turn.is_fallback, turn.request_id) == ("answered", True, "stand-in")
    assert (turn.trouble, turn.lines_lost) == ("network", 1)
    assert any(isinstance(effect, Tell) and effect.is_preface for effect in room.effects)
    assert turn.reply_to_sound_s is None, "our own sentence sounded first"


def test_a_line_that_came_back_in_time_is_an_answered_turn(room: Room) -> None:
    room.wake()
    room.now += 0.05
    room.happen(on.Uplinked(room.turn))
    room.pass_s(0.8, -20)
    room.happen(on.SessionDown("reset", Trouble.NETWORK), on.SessionDown("no route", Trouble.NETWORK))
    room.pass_s(1.6)
    room.line_up("line-2")
    room.happen(on.Uplinked(room.turn), on.UserText("what time is it"))
    room.happen(on.AgentSpeech(bytes(4800)), on.SessionUp("line-3"))
    room.reply()
    room.rest()
    (turn,) = room.kept
    assert (turn.ended, turn.lines_lost, turn.request_id, turn.wake_to_uplink_s) == ("answered", 1, "line-2", 0.05)
    assert turn.speech_to_reply_s == pytest.approx(1.6), "the time without a line counts: the user waited"


@pytest.mark.parametrize(
    ("trouble", "was_up", "ended"),
    [
        (Trouble.NETWORK, True, ("line_lost", "network", 1)),
        (Trouble.NETWORK, False, ("trouble", "network", 0)),
        (Trouble.CREDIT, True, ("trouble", "credit", 1)),
        (Trouble.BUSY, False, ("trouble", "busy", 0)),
    ],
)
def test_a_turn_without_an_agent_says_why(trouble: Trouble, was_up: bool, ended: tuple[str, str, int]) -> None:
    room = Room()
    if was_up:
        room.line_up()
    room.wake()
    room.pass_s(0.8, -20)
    room.happen(on.SessionDown("why", trouble))
    room.pass_s(30)
    assert any(isinstance(effect, Tell) for effect in room.effects)
    assert [(turn.ended, turn.trouble, turn.lines_lost) for turn in room.kept] == [ended]


def test_a_reply_that_breaks_off_is_a_lost_line(room: Room) -> None:
    room.wake()
    room.ask()
    room.happen(on.AgentSpeech(bytes(48_000)), on.Sounded(room.turn))
    room.happen(on.SessionDown("reset", Trouble.NETWORK))
    room.pass_s(0.96)
    room.happen(on.Spoken(room.turn, 1.0))
    room.rest()
    assert [(turn.ended, turn.reply_s) for turn in room.kept] == [("line_lost", 1.0)]


def test_a_reply_that_comes_again_on_another_line_is_an_answer() -> None:
    kept: list[Turn] = []
    turns = Turns(kept.append)
    lost = (Play(1, bytes(96)), on.SessionDown("reset", Trouble.NETWORK), on.SessionUp("line-2"))
    again = (Play(1, bytes(96)), on.AgentDone(), on.Sounded(1), on.Spoken(1, 0.1))
    for item in (on.SessionUp("line-1"), OpenUplink(1, "hey_jarvis"), *lost, *again, Show(Phase.ASLEEP, turn=1)):
        turns.watch(0.0, item)
    assert [(turn.ended, turn.lines_lost, turn.request_id) for turn in kept] == [("answered", 1, "line-1")]


def test_a_turn_that_got_no_answer_says_so(room: Room) -> None:
    room.wake()
    room.ask()
    room.pass_s(40)
    assert [turn.ended for turn in room.kept] == ["no_answer"]


@pytest.mark.parametrize("stop", [lambda room: room.happen(on.Muted("button")), lambda room: room.wake()])
def test_who_does_not_wait_for_the_answer_has_dismissed_it(room: Room, stop: Callable[[Room], None]) -> None:
    room.wake()
    room.ask()
    stop(room)
    assert [turn.ended for turn in room.kept] == ["dismissed"]


def test_what_the_speaker_says_by_itself_is_no_turn() -> None:
    kept: list[Turn] = []
    turns = Turns(kept.append)
    for item in (Tell(1, "network"), Show(Phase.OFFLINE, turn=1), on.Spoken(1, 2.0), Play(2, bytes(96)), on.Spoken(2)):
        turns.watch(0.0, item)
    turns.watch(0.0, Show(Phase.ASLEEP, turn=2))
    assert not kept


def test_what_belongs_to_an_earlier_turn_is_not_measured(room: Room) -> None:
    room.wake()
    room.ask()
    room.happen(on.Asked((Call("c1", "desk_lamp"),)))
    room.wake()
    room.happen(on.Acted(1, "c1", "desk_lamp", "It is on.", True), on.Sounded(1), on.Spoken(1, 3.0))
    room.happen(on.Lit(1, "listening"), on.Uplinked(1))
    room.rest()
    latest = room.kept[-1]
    assert (latest.number, latest.functions, latest.reply_s, latest.wake_to_light_s) == (2, (), 0, None)


def test_nothing_of_what_was_said_or_done_gets_into_the_record_or_the_log(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = f"{MARKER} said in private"
    room.line_up(f"{secret}\nforged line")
    room.happen(on.Heard(frame(-20), wake=secret))
    room.ask(secret)
    calls = Call("c1", "desk_lamp", {"text": secret}), Call("c2", secret, {secret: secret}), Call("c3", MARKER)
    room.happen(on.Asked(calls))
    acts = [effect for effect in room.effects if isinstance(effect, Act)]
    for act in acts:
        room.happen(on.Acted(act.turn, act.call.id, act.call.name, secret, True, act.call.name == "desk_lamp"))
    room.happen(on.AgentText(secret), on.LatencyReported({secret: 1.0}), on.Warned(secret))
    room.reply()
    room.happen(on.Summoned(secret))
    room.pass_s(0.8)
    room.happen(on.SessionDown(secret, Trouble.VENDOR, is_final=True))
    room.happen(on.Dismissed(secret))
    assert len(acts) == 3 and len(room.kept) == 2
    told = "".join(turn.to_json() for turn in room.kept) + "".join(
        record.getMessage() for record in caplog.records if record.name == "cooee.turns"
    )
    assert "turn 1 answered" in told and MARKER not in told and "forged" not in told


@pytest.mark.parametrize("room_dbfs", [-70.0, -50.0])
@pytest.mark.parametrize("echo_s", [0.0, 0.5])
@pytest.mark.parametrize("voice", [Voice("flite", "slt", 1.0), Voice("flite", "rms", 1.0)], ids=str)
def test_the_end_of_speech_is_found_in_noise_and_echo(voice: Voice, echo_s: float, room_dbfs: float) -> None:
    spoken = say("will it rain tomorrow in the afternoon", voice).astype(np.float64)
    ended_s = 0.5 + len(spoken) / 16_000
    spoken *= 32768 * 10 ** (-28 / 20) / spoken.std()
    if echo_s:
        decay = np.random.default_rng(1).normal(size=round(echo_s * 16_000))
        decay *= 10 ** (-3 * np.arange(len(decay)) / len(decay))  # by 60 dB
        spoken = np.convolve(spoken, np.concatenate([[1.0], decay / np.linalg.norm(decay)]))
    samples = noise(ended_s + 1.0, room_dbfs)
    samples[8000 : 8000 + len(spoken)] += spoken.astype(np.int16)
    speech = Speech()
    for end in range(1280, len(samples), 1280):
        speech.push(samples[end - 1280 : end].astype("<i2").tobytes(), end / 16_000)
    assert speech.ended_s() == pytest.approx(ended_s, abs=0.15)


def test_a_room_in_which_nobody_spoke_has_no_end_of_speech() -> None:
    speech = Speech()
    assert speech.ended_s() is None
    for count in range(100):
        speech.push(frame(-50), count * FRAME_S)
    speech.push(b"", 9.0)
    assert speech.ended_s() is None


def test_a_window_never_grows() -> None:
    speech = Speech()
    for count in range(1000):
        speech.push(frame(), count * FRAME_S)
    assert len(speech._blocks) == 1500


TURN = Turn(7, "2026-03-01T18:30:01+00:00", "wake", "answered", "line-1", speech_to_reply_s=1.234, reply_s=2.0)


def test_the_last_500_turns_are_kept_as_they_were() -> None:
    store = Store(None)
    kept = TurnLog(store)
    full = Turn(
        1, "2026-03-01T18:30:01+00:00", "wake", "hushed", functions=(Ran("desk_lamp", 0.1),), latency={"stt_latency": 1}
    )
    for number in range(510):
        kept.keep(Turn(number, full.started, "wake", "answered"))
    kept.keep(full)
    turns = kept.last(1000)
    assert len(turns) == 500 and turns[-1] == full and [turn.number for turn in turns[:2]] == [11, 12]
    assert [turn.number for turn in kept.last(2)] == [509, 1]
    store.close()


def test_a_turn_kept_by_a_newer_version_can_be_read() -> None:
    text = json.dumps(json.loads(TURN.to_json()) | {"mood": "good"})
    assert Turn.from_json(text) == TURN


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    return tmp_path


def test_the_command_shows_the_last_turns(state: Path) -> None:
    store = Store(state / FILE)
    for turn in (Turn(6, "2026-02-28T07:00:00+00:00", "button", "no_speech"), TURN):
        TurnLog(store).keep(turn)
    store.close()
    shown = CliRunner().invoke(main, ["turns"], env={"COLUMNS": "120"})
    assert shown.exit_code == 0, shown.output
    assert "Mar 01 18:30:01" in shown.output and "1.23" in shown.output and "no speech" in shown.output
    lines = CliRunner().invoke(main, ["turns", "--json", "-n", "1"]).output.splitlines()
    assert [Turn.from_json(line) for line in lines] == [TURN]


def test_the_command_says_that_there_are_no_turns_yet(state: Path) -> None:
    shown = CliRunner().invoke(main, ["turns"])
    assert shown.exit_code == 0 and "No turns yet" in shown.output
    assert CliRunner().invoke(main, ["turns", "--json"]).output == ""
    assert not list(state.iterdir()), "it makes no file"


def test_the_button_is_told_from_the_wake_word_by_the_uplink() -> None:
    kept: list[Turn] = []
    turns = Turns(kept.append)
    for number, word in enumerate(("hey_jarvis", ""), 1):
        turns.watch(0.0, OpenUplink(number, word))
        turns.watch(9.0, Show(Phase.ASLEEP, turn=number))
    assert [turn.began for turn in kept] == ["wake", "button"]
