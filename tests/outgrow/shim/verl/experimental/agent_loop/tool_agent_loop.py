"""The states of verl's tool agent in a small world: a turn ends by a call (1), which the world answers, or an answer (2)."""

import asyncio
from enum import Enum
from random import Random
from types import SimpleNamespace

CALL, ANSWER, RESULT = 1, 2, 3


class AgentState(Enum):
    GENERATING = "generating"
    PROCESSING_TOOLS = "processing_tools"
    TERMINATED = "terminated"


class AgentData:
    def __init__(self, messages, image_data, video_data, audio_data, mm_processor_kwargs, metrics, request_id, tools_kwargs):
        self.messages, self.metrics, self.request_id = messages, metrics, request_id
        self.prompt_ids, self.response_ids, self.response_mask, self.response_logprobs = [], [], [], []
        self.user_turns, self.assistant_turns, self.extra_fields = 0, 0, {}


class Server:
    """Words, then a call or an answer: drawn from the request's name."""

    def __init__(self):
        self.asked = []

    async def generate(self, request_id, prompt_ids, sampling_params, image_data, video_data):
        await asyncio.sleep(0)  # others go on meanwhile
        self.asked.append(request_id)
        rng = Random(request_id)
        ids = [rng.randrange(4, 12) for _ in range(rng.randrange(1, 9))] + [CALL if rng.random() < 0.7 else ANSWER]
        ids = ids[: sampling_params.get("max_tokens", len(ids))]
        count = sampling_params.get("prompt_logprobs", 0)
        entries = [[-token / 4] * count for token in prompt_ids[1:]] + [[0.0] * count]  # the last is a dummy, as in verl
        output = {"token_ids": ids, "log_probs": [-rng.random() for _ in ids], "extra_fields": {"prompt_logprobs": entries}}
        return SimpleNamespace(**output)


class Tokenizer:
    eos_token_id = ANSWER

    def decode(self, ids):
        words = [f"w{i}" for i in ids]
        if len(ids) > 1 and ids[-1] == ANSWER:
            words[-2:] = [f"<answer>{words[-2]}</answer>"]
        return " ".join(words)

    def encode(self, text, add_special_tokens):
        return [int(word[1:]) for word in text.split()]

    def __len__(self):
        return 12


class ToolAgentLoop:
    def __init__(self):
        self.server_manager, self.tokenizer = Server(), Tokenizer()
        self.tool_parser = SimpleNamespace(stop_token_ids=[CALL])
        self.prompt_length, self.response_length, self.max_assistant_turns = 4, 48, 4

    async def _handle_pending_state(self, data, sampling_params):
        data.prompt_ids = [4, 5, 6, 7]
        return AgentState.GENERATING

    async def _handle_generating_state(self, data, sampling_params):
        output = await self.server_manager.generate(
            request_id=data.request_id, prompt_ids=data.prompt_ids, sampling_params=sampling_params, image_data=None, video_data=None
        )
        data.assistant_turns += 1
        data.response_ids = output.token_ids
        data.prompt_ids = data.prompt_ids + output.token_ids
        data.response_mask = data.response_mask + [1] * len(output.token_ids)
        data.response_logprobs = data.response_logprobs + output.log_probs
        is_over = len(data.response_mask) >= self.response_length or data.assistant_turns >= self.max_assistant_turns
        return AgentState.PROCESSING_TOOLS if output.token_ids[-1] == CALL and not is_over else AgentState.TERMINATED

    async def _handle_processing_tools_state(self, data):
        result = [RESULT, *data.response_ids[:2]]
        data.messages.append({"role": "tool", "content": self.tokenizer.decode(result)})
        if len(data.response_mask) + len(result) >= self.response_length:
            return AgentState.TERMINATED
        data.prompt_ids = data.prompt_ids + result
        data.response_mask = data.response_mask + [0] * len(result)
        data.response_logprobs = data.response_logprobs + [0.0] * len(result)
        data.user_turns += 1
        return AgentState.GENERATING
