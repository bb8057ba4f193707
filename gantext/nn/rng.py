"""Named random generators: one seed, and a generator for each purpose."""

import hashlib

import torch


def generator(seed: int, name: str, device: torch.device) -> torch.Generator:
    """A generator of its own for one purpose: the seed and the name give its seed."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:7], "big"))
