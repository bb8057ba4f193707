"""Files that are damaged at random, and what reads them."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import mutation
from tests.fuzz.kind import Kind
from tests.fuzz.mutation import Mutation


@dataclass(frozen=True)
class Loader:
    """A kind of file.

    Attributes:
        name: of the kind.
        file: a whole one, in the folder that `place` filled.
        read: does what commands do with it; a damaged file may only raise UserError.
        mutate: changes its content.
        seal: what else has to be written so that the change is not noticed by a checksum.
        share: how often it is read of the others' times, where reading is slow.
    """

    name: str
    file: str
    read: Callable[[Path], object]
    mutate: Mutation = mutation.of_bytes
    seal: Callable[[Path], None] = lambda path: None
    share: float = 1.0

    def kind(self, folder: Path) -> Kind:
        """Its file in a folder, damaged by a seed and read, then put back whole."""
        path = folder / self.file
        whole = path.read_bytes()

        def made(seed: int) -> bytes:
            return self.mutate(whole, random.Random(f"{self.name}/{seed}"))

        def work(data: bytes) -> None:
            self.put(path, data)
            try:
                self.read(path)
            finally:
                self.put(path, whole)

        place = folder / Path(self.file).parts[0]  # the run's folder, or the file by itself
        return Kind(self.name, made, work, (place,), self.share, suffix=path.suffix)

    def put(self, path: Path, data: bytes) -> None:
        """Give the file another content."""
        path.write_bytes(data)
        self.seal(path)
