"""What `make fuzz` asks for."""

import pytest


@pytest.fixture
def seconds(request: pytest.FixtureRequest) -> float:
    """How long to try inputs of all kinds together."""
    seconds: float = request.config.getoption("--fuzz")
    if not seconds:
        pytest.skip("takes minutes: make fuzz")
    return seconds
