"""Trains the demo model on a CPU, in stages that each keep what the ones before them taught.

    look    every patch says which thing it shows, in which colour, and where among the others (throw-away heads)
    speak   the decoder learns the caption, and the patches go on being asked
    match   the encoder learns to tell the caption from one with a fact wrong, over eyes that are held still
    answer  encoder and decoder learn to answer questions, over the same still eyes
    settle  everything at once, while the rate falls

    python train.py ICONS RUN            starts, or goes on from RUN/state.pt
    python train.py ICONS RUN --stage settle=100000
    python train.py ICONS RUN --from CHECKPOINT    starts with its weights, and with the stage "answer"

Batch number i is drawn from the seed and i alone, so that a run that was stopped sees what it would have seen.
"""

import argparse
import json
import math
import os
import queue
import random
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import questions
import scenes
from model import CLS, DEC, PAD, PATCH, SEP, SIDE, WIDTH, DemoModel, continue_from, normalised, save_checkpoint, to_pieces

SEED = 20261124
BATCH = 64
# Images per stage.
STAGES = {"look": 64_000, "speak": 40_000, "match": 64_000, "answer": 24_000, "settle": 64_000}
# What a checkpoint to start from has behind it.
LEARNT_BEFORE = ("look", "speak", "match")
# The share of pictures that are drawn large, as users' are: dear, so fewer while the basics are learnt.
LARGE_SHARE = {"look": 1 / 8, "speak": 1 / 8, "match": 1 / 8, "answer": 1 / 8, "settle": 1 / 4}
# How many pairs of sentences are read about each picture: seeing it costs more than reading about it.
READINGS = {"match": 3, "answer": 1, "settle": 1}
# How many questions are asked about each picture, a step for every `QUESTIONS_A_STEP` of them.
QUESTIONS = {"answer": 6, "settle": 2}
QUESTIONS_A_STEP = 2
# While matching or answering is learnt, this many captions a step (and pairs of sentences, while answering) keep
# what was learnt before from being lost: the towers share weights.
REMINDERS = 16
PEAK_RATE = 2e-3
SETTLE_RATE = 1e-3
WARM_UP_IMAGES = 6_400
# The tail of the last stage over which the rate falls to nothing.
FALL = 0.7
AVERAGE_DECAY = 0.998
PROMPT = "a picture of"


# Batches


def training_batch(number: int, stage: str, icons: scenes.Icons) -> dict:
    rng = random.Random(f"{SEED}/{number}")
    batch = {"pixels": np.empty((BATCH, 3, SIDE, SIDE), np.uint8), "labels": [], "captions": []}
    batch |= {"right": [], "wrong": [], "questions": []}
    for row in range(BATCH):
        scene = scenes.random_scene(rng, held_out=False)
        picture, drawing = scenes.as_seen(scene, icons, rng, SIDE, LARGE_SHARE[stage])
        batch["pixels"][row] = np.asarray(picture).transpose(2, 0, 1)
        batch["labels"].append(scenes.patch_labels(scene, drawing, SIDE, PATCH))
        batch["captions"].append(scenes.caption(scene))
        if stage in READINGS:
            pairs = [statements(scene, rng) for _ in range(READINGS[stage])]
            batch["right"].append([right for right, _ in pairs])
            batch["wrong"].append([wrong for _, wrong in pairs])
        if stage in QUESTIONS:
            batch["questions"].append([questions.ask(scene, rng) for _ in range(QUESTIONS[stage])])
    batch["labels"] = np.stack(batch["labels"])
    return batch


def statements(scene: scenes.Scene, rng: random.Random) -> tuple[str, str]:
    """A true sentence about the scene and a false one of the same form."""
    if rng.random() < 0.2:
        wrong, fact = scenes.with_one_fact_wrong(scene, rng)
        # Without the ground, a scene with another ground is still told truly.
        while fact == "ground":
            wrong, fact = scenes.with_one_fact_wrong(scene, rng)
        return scenes.subject(scene), scenes.subject(wrong)
    wrong, _ = scenes.with_one_fact_wrong(scene, rng)
    prefix = f"{PROMPT} " if rng.random() < 0.1 else ""
    return prefix + scenes.caption(scene), prefix + scenes.caption(wrong)


def draw_batches(numbers: range, stage: str, folder: Path, batches) -> None:
    os.nice(5)  # Drawing keeps ahead easily; what it must not do is slow the training down.
    icons = scenes.Icons(folder)
    for number in numbers:
        batches.put(training_batch(number, stage, icons))


# Losses


class Throwaway(nn.Module):
    """Heads that only training needs."""

    def __init__(self) -> None:
        super().__init__()
        self.thing = nn.Linear(WIDTH, scenes.THING_CLASSES)
        self.tint = nn.Linear(WIDTH, len(scenes.GROUNDS))
        self.part = nn.Linear(WIDTH, len(scenes.PARTS))
        self.word_is_wrong = nn.Linear(WIDTH, 2)
        self.log_scale = nn.Parameter(torch.tensor(2.659))


def patch_loss(heads: Throwaway, image_states: torch.Tensor, batch: dict) -> dict[str, torch.Tensor]:
    patches = image_states[:, 1:].flatten(0, 1)
    things, tints, parts = torch.from_numpy(batch["labels"]).transpose(0, 1).flatten(1)
    # Ground is most of every picture and soon known: it must not drown the things.
    weights = torch.ones(scenes.THING_CLASSES)
    weights[0] = 0.3
    return {
        "thing": F.cross_entropy(heads.thing(patches).float(), things, weight=weights),
        "tint": 0.5 * F.cross_entropy(heads.tint(patches).float(), tints, ignore_index=-1),
        "part": 0.5 * F.cross_entropy(heads.part(patches).float(), parts),
    }


def caption_loss(model: DemoModel, image_states: torch.Tensor, captions: list[str], rng: random.Random) -> torch.Tensor:
    prompted = [rng.random() < 0.1 for _ in captions]
    pieces = to_pieces([f"{PROMPT} {text}" if prompt else text for text, prompt in zip(captions, prompted)], DEC)
    targets = pieces.masked_fill(pieces == PAD, -100)
    for row, prompt in enumerate(prompted):
        if prompt:  # A prompt is given, never predicted: the model must not open with it when unsure.
            targets[row, 1 : 1 + len(PROMPT.split())] = -100
    logits = model.next_piece_logits(image_states, pieces)[:, :-1].float()
    return F.cross_entropy(logits.flatten(0, 1), targets[:, 1:].flatten(), ignore_index=-100)


def match_loss(model: DemoModel, heads: Throwaway, image_states: torch.Tensor, right: list[str], wrong: list[str]) -> dict:
    size = len(image_states)
    pieces = to_pieces(right + wrong, CLS)
    states = model.read(pieces, torch.cat([image_states, image_states]))
    is_right = torch.cat([torch.ones(size), torch.zeros(size)]).long()
    matching = F.cross_entropy(model.matcher.itm_head(states[:, 0]).float(), is_right)
    # Which words are wrong: a denser question than whether any is.
    word_labels = torch.zeros_like(pieces)
    word_labels[size:] = (pieces[size:] != pieces[:size]).long()
    word_labels = word_labels.masked_fill((pieces == PAD) | (pieces == SEP) | (pieces == CLS), -100)
    words = F.cross_entropy(heads.word_is_wrong(states).float().flatten(0, 1), word_labels.flatten(), ignore_index=-100)
    return {"match": matching, "words": words}


def answer_loss(model: DemoModel, image_states: torch.Tensor, asked: list[questions.Question], rng: random.Random) -> torch.Tensor:
    # Some people leave the question mark out.
    texts = [question.text.rstrip("?") if rng.random() < 0.1 else question.text for question in asked]
    question_pieces = to_pieces(texts, CLS)
    pieces = to_pieces([question.answer for question in asked], DEC)
    logits = model.next_piece_logits(model.read(question_pieces, image_states), pieces, question_pieces)[:, :-1].float()
    targets = pieces[:, 1:].masked_fill(pieces[:, 1:] == PAD, -100)
    losses = F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=-100, reduction="none")
    # Every answer counts alike: "no" has two pieces and "a cat above a green circle" seven.
    return (losses.sum(1) / (targets != -100).sum(1)).mean()


def contrast_loss(model: DemoModel, heads: Throwaway, image_states: torch.Tensor, captions: list[str], wrong: list[str]) -> torch.Tensor:
    texts = F.normalize(model.matcher.text_proj(model.read(to_pieces(captions + wrong, CLS))[:, 0]).float(), dim=-1)
    texts, wrong_texts = texts.chunk(2)
    images = F.normalize(model.matcher.vision_proj(image_states[:, 0]).float(), dim=-1)
    scale = heads.log_scale.exp().clamp(max=100)
    similarity = scale * images @ texts.t()
    # Beside the others' captions, each picture is told one that is nearly true of it.
    nearly = scale * (images * wrong_texts).sum(1, keepdim=True)
    same = torch.tensor([[float(a == b) for b in captions] for a in captions])
    target = same / same.sum(1, keepdim=True)
    of_image = F.cross_entropy(torch.cat([similarity, nearly], 1), F.pad(target, (0, 1)))
    return 0.2 * (of_image + F.cross_entropy(similarity.t(), target)) / 2


def sentences(batch: dict, reading: int, rng: random.Random) -> tuple[list[str], list[str]]:
    right, wrong = ([pairs[reading] for pairs in batch[kind]] for kind in ("right", "wrong"))
    for row, text in enumerate(batch["captions"]):
        # A sixth of the false sentences are another picture's: easy, but what a user's filter mostly meets.
        other = batch["captions"][row - 1]
        if rng.random() < 1 / 6 and other != text:
            wrong[row] = other
    return right, wrong


def losses_of(stage: str, model: DemoModel, heads: Throwaway, batch: dict, rng: random.Random):
    """The losses of each optimiser step that a batch gives; the caller steps before it asks for the next."""
    pixels = normalised(torch.from_numpy(batch["pixels"]))
    # One context per step: autocast keeps its half-precision copies of the weights until the context ends.
    # Without instructions for it, half precision is emulated, four times as slowly as single precision runs.
    half = lambda: torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported())
    if stage == "answer":
        with torch.no_grad(), half():
            image_states = model.see(pixels)
        right, wrong = sentences(batch, 0, rng)
        for step in range(QUESTIONS[stage] // QUESTIONS_A_STEP):
            asked = [row[step * QUESTIONS_A_STEP + number] for number in range(QUESTIONS_A_STEP) for row in batch["questions"]]
            reminded = slice(REMINDERS * step, REMINDERS * (step + 1))
            with half():
                losses = {"answer": answer_loss(model, image_states.repeat(QUESTIONS_A_STEP, 1, 1), asked, rng)}
                losses["caption"] = caption_loss(model, image_states[reminded], batch["captions"][reminded], rng)
                losses |= match_loss(model, heads, image_states[reminded], right[reminded], wrong[reminded])
                losses["contrast"] = contrast_loss(model, heads, image_states[reminded], batch["captions"][reminded], wrong[reminded])
                # Heads that were thrown away grow again before the eyes move.
                losses |= patch_loss(heads, image_states[reminded], batch | {"labels": batch["labels"][reminded]})
            yield losses
        return
    if stage == "match":
        with torch.no_grad(), half():
            image_states = model.see(pixels)
        for reading in range(READINGS[stage]):
            right, wrong = sentences(batch, reading, rng)
            reminded = slice(REMINDERS * reading, REMINDERS * (reading + 1))
            with half():
                losses = match_loss(model, heads, image_states, right, wrong)
                losses["caption"] = caption_loss(model, image_states[reminded], batch["captions"][reminded], rng)
            yield losses
        return
    with half():
        image_states = model.see(pixels)
        losses = patch_loss(heads, image_states, batch)
        if stage != "look":
            losses["caption"] = caption_loss(model, image_states, batch["captions"], rng)
        if stage == "settle":
            right, wrong = sentences(batch, 0, rng)
            losses |= match_loss(model, heads, image_states, right, wrong)
            losses["contrast"] = contrast_loss(model, heads, image_states, batch["captions"], wrong)
            asked = [row[number] for number in range(QUESTIONS[stage]) for row in batch["questions"]]
            losses["answer"] = answer_loss(model, image_states.repeat(QUESTIONS[stage], 1, 1), asked, rng)
    yield losses


# Optimisation


class Muon(torch.optim.Optimizer):
    """torch.optim.Muon in single precision: its half precision takes ten times as long where the CPU has none."""

    def __init__(self, parameters, lr: float, weight_decay: float, momentum: float):
        super().__init__(parameters, dict(lr=lr, weight_decay=weight_decay, momentum=momentum))

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                average = state.setdefault("momentum_buffer", torch.zeros_like(matrix))
                average.lerp_(matrix.grad, 1 - group["momentum"])
                direction = orthogonal(matrix.grad.lerp(average, group["momentum"]))
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                # As large as AdamW's steps are on average, so that one rate does for both.
                matrix.add_(direction, alpha=-group["lr"] * 0.2 * math.sqrt(max(matrix.shape)))


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """Nearly: five Newton-Schulz steps bring every singular value close to one."""
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.t()
    wide = wide / wide.norm().clamp(min=1e-7)
    for _ in range(5):
        gram = wide @ wide.t()
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=-4.775, alpha=2.0315), wide, beta=3.4445)
    return wide if matrix.shape[0] <= matrix.shape[1] else wide.t()


class Optimisers:
    """Muon for the matrices inside the towers, AdamW for everything else, one rate for both."""

    def __init__(self, model: DemoModel, heads: Throwaway):
        towers = [model.captioner.vision_model.encoder, model.captioner.text_decoder.bert.encoder, model.matcher.text_encoder.encoder]
        inner = {id(p): p for tower in towers for p in tower.parameters() if p.ndim == 2}
        every = {id(p): p for module in (model, heads) for p in module.parameters()}
        rest = [p for key, p in every.items() if key not in inner]
        adam_groups = [
            {"params": [p for p in rest if p.ndim > 1], "weight_decay": 0.02},
            {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.parameters = list(every.values())
        self.optimisers = [
            Muon(list(inner.values()), lr=PEAK_RATE, weight_decay=0.02, momentum=0.95),
            torch.optim.AdamW(adam_groups, lr=PEAK_RATE, betas=(0.9, 0.98)),
        ]

    def step(self, rate: float) -> None:
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)


class RunningAverage:
    """The weights that are evaluated and shipped: steadier than the last step's, at any moment of the run."""

    def __init__(self, module: nn.Module):
        self.live = [p for p in module.parameters()]
        self.average = [p.detach().clone() for p in self.live]

    def update(self, steps_so_far: int) -> None:
        decay = min(AVERAGE_DECAY, (1 + steps_so_far) / (10 + steps_so_far))
        torch._foreach_lerp_(self.average, [p.detach() for p in self.live], 1 - decay)

    def swap(self) -> None:
        with torch.no_grad():
            for live, average in zip(self.live, self.average):
                kept = live.detach().clone()
                live.copy_(average)
                average.copy_(kept)


def learning_rate(stage: str, images: int, stage_images: int) -> float:
    peak = SETTLE_RATE if stage == "settle" else PEAK_RATE
    rate = peak * min(1.0, (images + BATCH) / WARM_UP_IMAGES)
    if stage == list(STAGES)[-1]:
        rate *= min(1.0, (1 - images / stage_images) / FALL)
    return rate


# The held-out watch


class Watch:
    """Fixed held-out scenes, looked at during training; evaluate.py draws others for the card."""

    def __init__(self, icons: scenes.Icons, size: int = 320):
        rng = random.Random(f"{SEED}/watch")
        self.scenes = [scenes.random_scene(rng, held_out=True) for _ in range(size)]
        drawn = [scenes.as_seen(scene, icons, rng, SIDE) for scene in self.scenes]
        self.pixels = normalised(torch.from_numpy(np.stack([np.asarray(p).transpose(2, 0, 1) for p, _ in drawn])))
        labels = [scenes.patch_labels(scene, drawing, SIDE, PATCH) for scene, (_, drawing) in zip(self.scenes, drawn)]
        self.things, self.tints, self.parts = torch.from_numpy(np.stack(labels)).transpose(0, 1)
        self.wrong = [scenes.caption(scenes.with_one_fact_wrong(scene, rng)[0]) for scene in self.scenes]
        asked = {kind: [ask(scene, rng) for scene in self.scenes] for kind, ask in questions.KINDS.items()}
        self.asked = {
            kind: [(row, question) for row, question in enumerate(of_kind) if question] for kind, of_kind in asked.items()
        }

    @torch.no_grad()
    def report(self, model: DemoModel, heads: Throwaway, stage: str) -> dict:
        states = model.see(self.pixels)
        figures = {}
        on_thing = self.things > 0
        for name, head, true, counted in (
            ("thing", heads.thing, self.things, on_thing),
            ("tint", heads.tint, self.tints, self.tints >= 0),
            ("part", heads.part, self.parts, on_thing),
        ):
            figures[f"patch_{name}"] = (head(states[:, 1:]).argmax(-1) == true)[counted].float().mean()
        if stage != "look":
            exact = is_said(model, [scenes.caption(scene) for scene in self.scenes], states)
            figures["exact"] = exact.float().mean()
            for arrangement in scenes.ARRANGEMENTS:
                chosen = torch.tensor([scene.arrangement == arrangement for scene in self.scenes])
                figures[f"exact_{arrangement}"] = exact[chosen].float().mean()
        if stage in READINGS:
            for name, texts, expected in (("right", [scenes.caption(s) for s in self.scenes], 1), ("wrong", self.wrong, 0)):
                said = model.matcher.itm_head(model.read(to_pieces(texts, CLS), states)[:, 0]).argmax(-1)
                figures[f"match_{name}"] = (said == expected).float().mean()
            texts = model.matcher.text_proj(model.read(to_pieces([scenes.caption(s) for s in self.scenes], CLS))[:, 0])
            similarity = F.normalize(model.matcher.vision_proj(states[:, 0]), dim=-1) @ F.normalize(texts, dim=-1).t()
            figures["retrieved"] = (similarity.argmax(1) == torch.arange(len(states))).float().mean()
        if stage in QUESTIONS:
            for kind, asked in self.asked.items():
                rows = torch.tensor([row for row, _ in asked])
                pieces = to_pieces([question.text for _, question in asked], CLS)
                read = model.read(pieces, states[rows])
                figures[f"answer_{kind}"] = is_said(model, [question.answer for _, question in asked], read, pieces).float().mean()
        return {name: round(float(value), 3) for name, value in figures.items()}


def is_said(model: DemoModel, texts: list[str], states: torch.Tensor, read: torch.Tensor | None = None) -> torch.Tensor:
    """Whether greedy decoding says exactly the texts."""
    pieces = torch.full((len(states), 1), DEC)
    for _ in range(14):
        best = model.next_piece_logits(states, pieces, read)[:, -1].argmax(-1, keepdim=True)
        best[(pieces == SEP).any(1)] = PAD
        pieces = torch.cat([pieces, best], 1)
    true = to_pieces(texts, DEC)
    return (pieces == F.pad(true, (0, pieces.shape[1] - true.shape[1]), value=PAD)).all(1)


# The run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("icons", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--stage", action="append", default=[], help="NAME=IMAGES instead of the recipe's number")
    parser.add_argument("--from", dest="origin", type=Path, help="a checkpoint that has learnt all but answering")
    parser.add_argument("--threads", type=int, default=2, help="1 if other work keeps the second core busy: waiting for it costs more")
    parser.add_argument("--watch-every", type=int, default=16_000, help="images between looks at held-out scenes")
    options = parser.parse_args()
    stages = STAGES | {name: int(images) for name, images in (item.split("=") for item in options.stage)}
    assert list(stages) == list(STAGES), f"stages are {', '.join(STAGES)}"

    torch.set_num_threads(options.threads)
    torch.manual_seed(SEED)
    options.run.mkdir(parents=True, exist_ok=True)
    model, heads = DemoModel(), Throwaway()
    both = nn.ModuleList([model, heads])
    optimisers, average = Optimisers(model, heads), RunningAverage(both)
    watch = Watch(scenes.Icons(options.icons))
    state_file = options.run / "state.pt"
    done = dict.fromkeys(stages, 0)
    if state_file.exists():
        state = torch.load(state_file, weights_only=False)
        both.load_state_dict(state["weights"])
        average.average = state["average"]
        for optimiser, saved in zip(optimisers.optimisers, state["optimisers"]):
            optimiser.load_state_dict(saved)
        done |= state["done"]
    elif options.origin:
        continue_from(model, options.origin)
        average = RunningAverage(both)
        done |= {stage: STAGES[stage] for stage in LEARNT_BEFORE}

    def keep() -> None:
        state = {"weights": both.state_dict(), "average": average.average, "done": done}
        state["optimisers"] = [optimiser.state_dict() for optimiser in optimisers.optimisers]
        torch.save(state, state_file.with_suffix(".part"))
        state_file.with_suffix(".part").replace(state_file)

    def look_at_held_out(stage: str, seconds: float, losses: dict) -> None:
        average.swap()
        figures = watch.report(model, heads, stage)
        save_checkpoint(model, options.run / "checkpoint")
        average.swap()
        line = {"stage": stage, "images": done[stage], "seconds": round(seconds), **losses, **figures}
        print(json.dumps(line), flush=True)
        with open(options.run / "log.jsonl", "a") as log:
            log.write(json.dumps(line) + "\n")

    for stage, stage_images in stages.items():
        if done[stage] >= stage_images:
            continue
        if stage == "match" and done[stage] == 0:
            model.start_encoder_from_decoder()
            average.swap()
            model.start_encoder_from_decoder()
            average.swap()
        first = sum(done.values()) // BATCH
        context = get_context("spawn")
        batches = context.Queue(8)
        numbers = range(first, first + math.ceil((stage_images - done[stage]) / BATCH))
        painter = context.Process(target=draw_batches, args=(numbers, stage, options.icons, batches), daemon=True)
        painter.start()
        started, totals, since = time.perf_counter(), {}, 0
        for number in numbers:
            batch = next_batch(batches, painter)
            rng = random.Random(f"{SEED}/{number}/losses")
            for losses in losses_of(stage, model, heads, batch, rng):
                sum(losses.values()).backward()
                optimisers.step(learning_rate(stage, done[stage], stage_images))
                average.update(number)
                for name, loss in losses.items():
                    totals[name] = totals.get(name, 0.0) + float(loss.detach())
                since += 1
            done[stage] += BATCH
            if done[stage] % options.watch_every < BATCH or done[stage] >= stage_images:
                look_at_held_out(stage, time.perf_counter() - started, {f"loss_{k}": round(v / since, 3) for k, v in totals.items()})
                keep()
                totals, since = {}, 0
        painter.join()


def next_batch(batches, painter) -> dict:
    while True:
        try:
            return batches.get(timeout=30)
        except queue.Empty:
            if not painter.is_alive():
                raise RuntimeError("the process that draws the scenes has died") from None


if __name__ == "__main__":
    main()
