"""24 hours of conversation on a virtual clock: never stuck, never louder than asked, never larger."""

import pytest

from cooee.conversation import AWAKE
from cooee.settings import Conversation as Settings
from faults.world import RESTING, World, sizes

pytestmark = pytest.mark.faults

DAY_S = 24 * 3600.0
MOST_S = 120.0
"""The longest that a conversation may stay awake when nothing more comes: all its deadlines in a row."""


@pytest.mark.parametrize("keep_s", [0.0, 600.0, None])
@pytest.mark.parametrize("seed", range(3))
def test_a_day_of_everything(seed: int, keep_s: float | None) -> None:
    world = World(seed, keep_s, Settings())
    while world.now < DAY_S:
        for _ in range(world.chance.randint(1, 8)):
            world.happens()
            world.pass_time(world.chance.uniform(0, 20))
        world.quiet()
        silent_since = world.now
        while world.conversation.phase in AWAKE:
            world.pass_time(1.0)
            assert world.now - silent_since < MOST_S, f"still {world.conversation.phase} after {MOST_S:g} s of silence"
        rested(world, keep_s)
        world.pass_time(world.chance.uniform(0, 900))
    assert {"Play", "Tell", "Act", "Answer", "Drop", "Hush", "Ask", "Say", "Disconnect"} <= world.counts.keys()


def rested(world: World, keep_s: float | None) -> None:
    """Asleep is asleep: nothing leaves, nothing runs, and the line is let go in its time."""
    conversation = world.conversation
    assert conversation.phase in RESTING and not conversation.is_listening
    left, asked_for = world.left_bytes, world.counts.get("Act", 0)
    world.quiet()
    world.pass_time(60)
    assert (world.left_bytes, world.counts.get("Act", 0)) == (left, asked_for)
    if keep_s is not None:
        world.pass_time(keep_s + 5)
        assert not world.is_up, "the line is kept longer than it should be"
    large = {path: size for path, size in sizes(conversation).items() if size > 64}
    assert not large, large
