"""Teach a Hugging Face model with low-rank adapters (Hu et al., ICLR 2022) by peft: attach, step, save. `hub`
opens what was saved."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch

from omokage.dialogue.conversation import Image, Turn
from omokage.dialogue.hub import HubModel
from omokage.errors import MissingExtraError, OutputError, TrainingError

# Attention of the language model alone: the vision tower stays what it is.
TARGETS = r".*(language_model|text_model).*\.(q_proj|k_proj|v_proj|o_proj)"


def adapt(model: HubModel, rank: int = 16, alpha: int = 32, dropout: float = 0.0) -> int:
    """Put fresh adapters into the model's language part; returns how many numbers will be learnt. Raises
    MissingExtraError without peft, TrainingError where nothing fits."""
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise MissingExtraError("adapting a vision-language model", "dialogue", error) from error
    try:
        with warnings.catch_warnings():  # of what peft still asks of transformers
            warnings.simplefilter("ignore", FutureWarning)
            settings = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=TARGETS)
            model.model = get_peft_model(model.model, settings)
    except ValueError as error:
        raise TrainingError(f"{model.id} has no attention layers where adapters are expected ({error})") from error
    return sum(p.numel() for p in model.model.parameters() if p.requires_grad)


def optimizer_of(model: HubModel, rate: float = 1e-4) -> torch.optim.Optimizer:
    """What steps the adapters and nothing else."""
    return torch.optim.AdamW([p for p in model.model.parameters() if p.requires_grad], rate)


def step(model: HubModel, optimizer: torch.optim.Optimizer, batch: Sequence[tuple[Image, Turn]]) -> float:
    """One optimizer step on questions about pictures; the gradients of the batch are added up one by one, so that
    memory holds a single picture. Returns the mean loss of the answers' tokens. Raises TrainingError for a loss that is
    no number."""
    model.model.train()
    optimizer.zero_grad(set_to_none=True)
    total = 0.0
    for image, turn in batch:
        prompt = model.encoded(image, turn.question, turn.options, ())
        answer = [*model.told(turn.answer), model.tokenizer.eos_token_id]
        logits = model.model(**model.inputs(image, [*prompt, *answer])).logits[0, len(prompt) - 1 : -1].float()
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(answer, device=model.device)) / len(batch)
        torch.autograd.backward(loss)
        total += float(loss.detach())
    if not total == total or total == float("inf"):
        raise TrainingError("the loss is no longer a number: begin again with a lower rate")
    optimizer.step()
    model.model.eval()
    return total


def save(model: HubModel, folder: Path) -> Path:
    """Write the adapters (a few MB) with the name of their model; `hub.HubModel(folder)` opens both. Raises
    OutputError."""
    try:
        model.model.save_pretrained(str(folder))
    except OSError as error:
        raise OutputError(f"cannot write the adapter to {folder}: {error.strerror}; choose another folder") from error
    return folder
