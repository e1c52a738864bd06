"""Why a line ended or did not come: as a trouble, and as a sentence that is told once."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from cooee.agent import Refused, Unreachable
from cooee.events import Trouble

log = logging.getLogger("cooee.session")


class Silent(Unreachable):
    """The line stands, but nothing comes of the other side."""


class Spent(Refused):
    """The limits of the config allow no line just now."""

    def __init__(self) -> None:
        super().__init__(
            "The time that lines may be open ([session] daily_limit, monthly_limit) is used up.", Trouble.LIMIT
        )


class Outdated(Exception):
    """The line knows what is to be forgotten, and the turn is over."""


@dataclass(frozen=True, slots=True)
class Ending:
    """`error`: None if it ended in order. `held_s`: how long it was in use; None if it never came that far."""

    error: Exception | None
    held_s: float | None = None

    @property
    def trouble(self) -> Trouble | None:
        if self.error is None:
            return None
        return self.error.trouble if isinstance(self.error, Refused | Unreachable) else Trouble.NETWORK

    @property
    def is_hopeless(self) -> bool:
        return self.trouble is not None and self.trouble.is_hopeless

    @property
    def asked_s(self) -> float | None:
        """So long the agent wants to be left alone."""
        return self.error.retry_after_s if isinstance(self.error, Refused) else None

    @property
    def is_sudden(self) -> bool:
        """A line that was in use and is likely to be had again at once."""
        used = self.held_s is not None and self.held_s > 1
        return used and not self.is_hopeless and self.asked_s is None and not isinstance(self.error, Silent)


class Told:
    """Says each reason once, until a line was had again. `where` names the config's line for an agent's setting."""

    def __init__(self, where: Callable[[str], str]) -> None:
        self._where = where
        self._last = ""

    def reset(self) -> None:
        self._last = ""

    def tell(self, ending: Ending) -> str:
        error = ending.error
        if error is None:
            log.info("the agent closed the line")
            return "the agent closed the line"
        reason = str(error) or "the agent did not answer in time"
        if isinstance(error, Refused) and error.setting and (place := self._where(error.setting)):
            reason = f"{reason} See {place}."
        is_fault = ending.is_hopeless and not isinstance(error, Spent)
        level = logging.ERROR if is_fault else logging.WARNING
        log.log(logging.DEBUG if reason == self._last else level, "%s", reason)
        self._last = reason
        return reason
