"""Who the agent is: its usual self, or a persona that was chosen or has a wake word of its own."""

from collections.abc import Mapping

from cooee import settings
from cooee.agent import Persona


class Cast:
    """`tables`: the personas of the config by their names. `chosen`: the one that was asked for last, "" for none.

    `now` is who was given last: in a turn its wake word's, whatever else the agent is told meanwhile.
    """

    def __init__(self, tables: Mapping[str, settings.Persona]) -> None:
        self.tables = tables
        self.chosen = ""
        self._name = ""

    @property
    def now(self) -> Persona:
        table = self.tables.get(self._name)
        return Persona(table.prompt, table.voice, table.language) if table else Persona()

    def of(self, word: str = "") -> Persona:
        """Whom the wake word wants; without one of his own, who was chosen last."""
        own = (name for name, table in self.tables.items() if word and table.wake_word == word)
        self._name = next(own, self.chosen)
        return self.now
