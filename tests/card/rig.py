"""The microphone and the loudspeaker in a process of their own, steered and watched by a test.

ALSA reads its configuration once per process, so each card needs a fresh one. The process takes orders, one JSON object
a line, and tells its events the same way; `t` is the monotonic clock, which all processes share.
"""

import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

DAEMON = Path(__file__).parents[2] / "daemon"


class Rig:
    """`mic`, `speaker`: settings, or None to do without. The frames are kept in `frames_file`.

    `hear_s`: how long each frame takes whoever hears it. `renew_s`: `cooee.sound.alsa.RENEW_S`.
    """

    def __init__(
        self,
        folder: Path,
        env: dict[str, str],
        *,
        mic: dict[str, Any] | None = None,
        speaker: dict[str, Any] | None = None,
        rate_hz: int = 24000,
        renew_s: float = 30.0,
        hear_s: float = 0.0,
    ) -> None:
        self.frames_file = folder / "frames.raw"
        self.frames_file.write_bytes(b"")
        self._setup = {"mic": mic, "speaker": speaker, "rate_hz": rate_hz, "renew_s": renew_s}
        self._setup["hear_s"] = hear_s
        self._setup["frames_file"] = str(self.frames_file)
        self._env = {**os.environ, **env, "PYTHONPATH": str(DAEMON)}
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._passed: list[dict[str, Any]] = []
        self.errors, self.log = folder / "stderr", folder / "log"
        self._setup["log"] = str(self.log)

    def __enter__(self) -> "Rig":
        command = [sys.executable, __file__, json.dumps(self._setup)]
        with self.errors.open("wb") as errors:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                command, env=self._env, stdin=pipe, stdout=pipe, stderr=errors, text=True, bufsize=1
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for("ready")
        return self

    def __exit__(self, *_: object) -> None:
        """The process must end by itself, at once, whatever became of the card."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self.exit_code = self._process.wait(timeout=10)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join(timeout=5)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put({"event": "ended"})

    def ask(self, do: str, **arguments: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")

    def play(self, turn: int, samples: np.ndarray) -> None:
        self.ask("play", turn=turn, pcm=samples.astype("<i2").tobytes().hex())

    def wait_for(self, event: str, timeout_s: float = 15.0) -> dict[str, Any]:
        """The next such event; those before it are passed over."""
        return self.wait_for_all(event, timeout_s=timeout_s)[event]

    def wait_for_all(self, *events: str, timeout_s: float = 15.0) -> dict[str, dict[str, Any]]:
        """The next event of each of these kinds, in whatever order."""
        until_s, found = time.monotonic() + timeout_s, dict[str, dict[str, Any]]()
        self._passed = []
        while len(found) < len(events):
            try:
                line = self._lines.get(timeout=max(0.01, until_s - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {events} within {timeout_s} s, only {found} {self._passed}") from None
            assert line["event"] != "ended", f"ended before {events}: {self._passed} {self.errors.read_text()}"
            if line["event"] in events and line["event"] not in found:
                found[line["event"]] = line
            else:
                self._passed.append(line)
        return found

    def passed(self, event: str) -> bool:
        """Whether there was such an event during the last wait, or since."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._passed.append(self._lines.get_nowait())
        return any(line["event"] == event for line in self._passed)

    def numbers(self) -> dict[str, Any]:
        self.ask("count")
        return self.wait_for("counted")

    def frames(self) -> np.ndarray:
        """All that the microphone heard so far: int16, mono, 16 kHz."""
        raw = self.frames_file.read_bytes()
        return np.frombuffer(raw[: len(raw) // 2 * 2], "<i2")


def main(setup: dict[str, Any]) -> None:
    from contextlib import ExitStack

    from cooee import settings
    from cooee.mic import Mic
    from cooee.sound import alsa
    from cooee.speaker import Speaker

    telling = threading.Lock()

    def tell(event: str, **what: Any) -> None:
        line = json.dumps({"event": event, "t": time.monotonic(), **what})
        with telling:
            print(line, flush=True)

    def report(event: Any) -> None:
        tell(type(event).__name__, **{name: getattr(event, name) for name in event.__slots__})

    def hear(frame: bytes, at_s: float) -> None:
        frames.write(frame)
        time.sleep(setup["hear_s"])

    logging.basicConfig(filename=setup["log"], level="DEBUG", format="%(asctime)s %(threadName)s %(message)s")
    alsa.RENEW_S = setup["renew_s"]
    with ExitStack() as stack:
        frames = stack.enter_context(open(setup["frames_file"], "ab", buffering=0))
        mic = speaker = None
        if setup["mic"] is not None:
            mic = stack.enter_context(Mic(settings.Mic(**setup["mic"]), hear, report))
        if setup["speaker"] is not None:
            speaker = stack.enter_context(Speaker(settings.Speaker(**setup["speaker"]), setup["rate_hz"], report))
        tell("ready")
        for line in sys.stdin:
            order = json.loads(line)
            match order.pop("do"):
                case "play":
                    speaker.play(order["turn"], bytes.fromhex(order["pcm"]))
                case "capture":
                    mic.capture(order["on"])
                    if not order["on"]:
                        tell("closed", within=mic.wait_closed(1.0))
                case "count":
                    tell(
                        "counted",
                        lost_s=mic and mic.lost_s,
                        reopened=mic and mic.reopened,
                        underruns=speaker and speaker.underruns,
                    )
                case order_name:
                    tell(order_name)
                    getattr(speaker, order_name)(**order)
        ending_s = time.monotonic()
    tell("left", within_s=time.monotonic() - ending_s, threads=threading.active_count())


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
