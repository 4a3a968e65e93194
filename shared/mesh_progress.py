"""How far a client is that learns without its server, in a file that its own user's programs may read."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.result_file import write_whole

FILE = "progress.json"


class MeshProgress(BaseModel):
    """The newest mesh round of a client."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    base_round: int
    """After which round of the server it began."""
    rounds: int
    accuracy: float | None = Field(default=None, ge=0, le=1)
    """On what the client holds out; None: that stays there."""

    def save(self, folder: Path) -> None:
        """In a node's folder. Raises OSError."""
        write_whole(folder / FILE, self.model_dump_json())

    @classmethod
    def load(cls, folder: Path) -> MeshProgress | None:
        """What a node's folder has of it; None: nothing."""
        try:
            return cls.model_validate_json((folder / FILE).read_text(encoding="utf-8"))
        except (OSError, ValidationError):
            return None
