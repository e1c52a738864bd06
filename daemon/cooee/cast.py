"""Who the agent is: its usual self, or a persona that was chosen or has a wake word of its own."""

from collections.abc import Mapping

from cooee import settings
from cooee.agent import Persona


class Cast:
    """`tables`: the personas of the config by their names. `chosen`: the one that was asked for last, "" for none."""

    def __init__(self, tables: Mapping[str, settings.Persona]) -> None:
        self.tables = tables
        self.chosen = ""

    def of(self, word: str = "") -> Persona:
        """Whom the wake word wants; without one of his own, who was chosen last."""
        name = next((name for name, table in self.tables.items() if word and table.wake_word == word), self.chosen)
        table = self.tables.get(name)
        return Persona(table.prompt, table.voice, table.language) if table else Persona()
