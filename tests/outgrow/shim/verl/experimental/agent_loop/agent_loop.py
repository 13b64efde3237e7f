"""As much of verl's agent loop as turnwise_trainer.py uses; outputs are plain records."""

from types import SimpleNamespace


class AgentLoopOutput(SimpleNamespace):
    pass


def register(name):
    return lambda loop: loop
