"""A real Home Assistant with a home of its own, made of templates: started once for all tests, with no network.

`python tests/hass.py` starts it once with the network, so that it installs what else it needs; `tests/run` does that.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

PLACE = Path(os.environ.get("COOEE_HASS", Path(__file__).parents[1] / ".venv-hass"))
BOOT_S = 90.0

HOME = Path(__file__).with_suffix(".yaml")
AREAS = {
    "Kitchen": ("light.kitchen_lamp", "light.cooker_light", "switch.coffee_machine", "switch.oven"),
    "Living Room": ("light.ceiling_light", "cover.blinds", "media_player.radio"),
    "Bedroom": (
        "fan.bedroom_fan",
        "climate.bedroom_heating",
        "sensor.bedroom_temperature",
        "binary_sensor.bedroom_window",
    ),
    "Garage": ("cover.garage_door", "lock.front_door"),
}
ALIASES = {"light.cooker_light": ["hob light"], "switch.coffee_machine": ["espresso machine"]}
UNEXPOSED = ("media_player.radio", "lock.front_door", "script.good_night")
"""What Home Assistant does not expose by itself, in one version or another, and this home does."""


class Hass:
    """Home Assistant as a process of its own in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = ""
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "configuration.yaml").write_text(HOME.read_text().replace("PORT", str(self.port)))

    def start(self, *, offline: bool = True) -> None:
        """Returns when it answers, and the first time with the home in order."""
        options = ["--skip-pip"] if offline else []
        env = {**os.environ, "HOME": str(self.folder), "PATH": f"{PLACE / 'bin'}:{os.environ['PATH']}"}
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [PLACE / "bin" / "hass", "-c", self.folder, "--log-no-color", *options],
                env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, process_group=0,
            )  # fmt: skip
        self._until(lambda: self._http("/api/onboarding") is not None)
        if not self.token:
            self._settle_in()
        self._until(lambda: self.ask("get_config")["state"] == "RUNNING")

    def stop(self, *, kill: bool = False) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL if kill else signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def state(self, entity_id: str) -> str:
        return str(self.whole_state(entity_id)["state"])

    def whole_state(self, entity_id: str) -> Any:
        return self._http(f"/api/states/{entity_id}")

    def put(self, entity_id: str, value: object) -> None:
        """Set a helper behind the home, such as input_boolean.door."""
        domain = entity_id.partition(".")[0]
        if domain == "input_boolean":
            self.serve(domain, f"turn_{value}", entity_id=entity_id)
        else:
            self.serve(domain, "set_value", entity_id=entity_id, value=value)

    def serve(self, domain: str, service: str, **data: Any) -> None:
        """Call a service."""
        self._http(f"/api/services/{domain}/{service}", data)

    def ask(self, kind: str, **fields: Any) -> Any:
        """One command on a WebSocket of its own."""
        return self.ask_all([(kind, fields)])[0]

    def ask_all(self, commands: Sequence[tuple[str, dict[str, Any]]], token: str = "") -> list[Any]:
        with connect(f"{self.url.replace('http', 'ws')}/api/websocket", max_size=2**24) as socket_:
            socket_.recv()
            socket_.send(json.dumps({"type": "auth", "access_token": token or self.token}))
            assert json.loads(socket_.recv())["type"] == "auth_ok"
            results = []
            for number, (kind, fields) in enumerate(commands, 1):
                socket_.send(json.dumps({"id": number, "type": kind, **fields}))
                answer = json.loads(socket_.recv())
                assert answer["success"], f"{kind}: {answer}"
                results.append(answer["result"])
        return results

    def _settle_in(self) -> None:
        """Onboard, make a long-lived token, and say where things are and what they are called."""
        client = {"client_id": f"{self.url}/"}
        user = {"name": "Test", "username": "test", "password": "a test's password", "language": "en"}
        code = self._http("/api/onboarding/users", {**client, **user})["auth_code"]
        form = {"grant_type": "authorization_code", "code": code, **client}
        granted = self._http("/auth/token", urllib.parse.urlencode(form).encode())["access_token"]
        self.token = self.new_token("cooee", granted)
        self._http("/api/onboarding/analytics", {})
        areas = {area["name"]: area["area_id"] for area in self.ask("config/area_registry/list")}
        for name in AREAS.keys() - areas.keys():
            areas[name] = self.ask("config/area_registry/create", name=name)["area_id"]
        self.ask("config/area_registry/update", area_id=areas["Living Room"], aliases=["Lounge"])
        updates = [(entity_id, {"area_id": areas[name]}) for name, ids in AREAS.items() for entity_id in ids]
        updates += [(entity_id, {"aliases": aliases}) for entity_id, aliases in ALIASES.items()]
        self.ask_all([("config/entity_registry/update", {"entity_id": each, **more}) for each, more in updates])
        self.expose(*UNEXPOSED)

    def new_token(self, name: str, shown: str = "") -> str:
        fields = {"client_name": name, "lifespan": 3650}
        return str(self.ask_all([("auth/long_lived_access_token", fields)], shown)[0])

    def expose(self, *entity_ids: str, should: bool = True) -> None:
        fields = {"assistants": ["conversation"], "entity_ids": list(entity_ids), "should_expose": should}
        self.ask("homeassistant/expose_entity", **fields)

    def post(self, path: str, body: Any) -> Any:
        return self._http(f"/api/{path}", body)

    def delete(self, path: str) -> Any:
        return self._http(f"/api/{path}", method="DELETE")

    def _http(self, path: str, body: Any = None, *, method: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None and not isinstance(body, bytes):
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def _until(self, holds: Any) -> None:
        until = time.monotonic() + BOOT_S
        while time.monotonic() < until:
            assert self._process is not None and self._process.poll() is None, self.output()
            with contextlib.suppress(OSError, AssertionError):
                if holds():
                    return
            time.sleep(0.2)
        raise AssertionError(f"Home Assistant did not start: {self.output()}")

    def output(self) -> str:
        return (self.folder / "output").read_text(errors="replace")[-4000:]


@contextlib.contextmanager
def running(*, offline: bool = True) -> Iterator[Hass]:
    folder = Path(tempfile.mkdtemp(prefix="hass-"))
    house = Hass(folder)
    try:
        house.start(offline=offline)
        yield house
    finally:
        house.stop(kill=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def hass() -> Iterator[Hass]:
    """The home. Tests leave it as they find it, as far as others may notice."""
    if not (PLACE / ".ready").exists():
        pytest.skip(f"there is no Home Assistant in {PLACE}; tests/run installs it for Python 3.11 and 3.13")
    with running() as house:
        yield house


if __name__ == "__main__":
    with running(offline=False) as first:
        print(first.ask("get_config")["version"], file=sys.stderr)
