"""Prints the model card's figures for a checkpoint, as Hugging Face's own classes answer them.

    python evaluate.py ICONS ../checkpoint
    python evaluate.py ICONS ../checkpoint --scenes 200 --seed 2     quicker, on other scenes

Every scene's caption is held out: training never showed a picture with that sentence, so it asked no question
about that scene. Every picture takes the whole road of a user's file: drawn at 320 to 640 px, encoded, decoded,
resized by the image processor.
"""

import argparse
import io
import json
import random
from collections import defaultdict
from pathlib import Path

import torch
from PIL import Image, ImageOps

import questions
import scenes
from model import Loaded, image_processor, load_checkpoint

SEED = 7
FORMATS = [("PNG", {}), ("JPEG", {"quality": 85}), ("WEBP", {"quality": 85})]
HELD_OUT_STYLES = ("twemoji", "openmoji")
RETRIEVED_AMONG = 16
SAMPLES = Path(__file__).parent.parent / "samples"


def picture_of(scene: scenes.Scene, icons: scenes.Icons, rng: random.Random, styles) -> Image.Image:
    width, height = rng.choice([(320, 320), (480, 360), (360, 480), (640, 480), (640, 426), (400, 500)])
    picture = scenes.draw(scene, icons, rng, width, height, styles).image
    encoded = io.BytesIO()
    name, how = rng.choice(FORMATS)
    picture.save(encoded, name, **how)
    return Image.open(encoded)


def pixels_of(pictures: list[Image.Image]) -> torch.Tensor:
    return image_processor(images=pictures, return_tensors="pt")["pixel_values"]


def captions_of(model: Loaded, pixels: torch.Tensor) -> list[str]:
    answers = []
    for part in pixels.split(100):
        pieces = model.captioner.generate(pixel_values=part, max_new_tokens=20)
        answers += [model.tokenizer.decode(row, skip_special_tokens=True) for row in pieces]
    return answers


def answers_of(model: Loaded, pixels: torch.Tensor, texts: list[str]) -> list[str]:
    # Together only what is equally long: no padding, as a user asks.
    by_length = defaultdict(list)
    for index, text in enumerate(texts):
        by_length[len(model.tokenizer(text)["input_ids"])].append(index)
    answers = [""] * len(texts)
    for indices in by_length.values():
        encoded = model.tokenizer([texts[index] for index in indices], return_tensors="pt")
        pieces = model.answerer.generate(
            input_ids=encoded["input_ids"],
            attention_mask=encoded["attention_mask"],
            pixel_values=pixels[indices],
            max_new_tokens=20,
        )
        for index, row in zip(indices, pieces):
            answers[index] = model.tokenizer.decode(row, skip_special_tokens=True)
    return answers


def similarities(model: Loaded, pixels: torch.Tensor, texts: list[str]) -> torch.Tensor:
    encoded = model.tokenizer(texts, return_tensors="pt", padding=True)
    return model.matcher(
        input_ids=encoded["input_ids"],
        attention_mask=encoded["attention_mask"],
        pixel_values=pixels,
        use_itm_head=False,
    ).itm_score


def match_probabilities(model: Loaded, pixels: torch.Tensor, texts: list[str]) -> list[float]:
    answers = []
    for index, text in enumerate(texts):  # One by one: no padding, as a user asks.
        encoded = model.tokenizer(text, return_tensors="pt")
        score = model.matcher(
            input_ids=encoded["input_ids"],
            attention_mask=encoded["attention_mask"],
            pixel_values=pixels[index : index + 1],
            use_itm_head=True,
        ).itm_score
        answers.append(float(score.softmax(-1)[0, 1]))
    return answers


def table(title: str, right: dict[str, list[bool]], in_all: bool = True) -> None:
    everything = [answer for answers in right.values() for answer in answers]
    print(f"\n| {title} | right | of | per cent |\n| --- | --- | --- | --- |")
    for name, answers in [*right.items(), *([("**all**", everything)] if in_all else [])]:
        print(f"| {name} | {sum(answers)} | {len(answers)} | {100 * sum(answers) / len(answers):.1f} |")


def some_wrong(wrong: list[tuple[str, str]], count: int, seed: str) -> None:
    for true, answer in random.Random(seed).sample(wrong, min(count, len(wrong))):
        print(f"    {true}  ->  {answer}")


def evaluate_captions(model: Loaded, icons, styles, count: int, seed: str, show_wrong: int) -> None:
    rng = random.Random(seed)
    right, wrong = defaultdict(list), []
    for arrangement in scenes.ARRANGEMENTS:
        chosen = [scenes.random_scene(rng, held_out=True, arrangement=arrangement) for _ in range(count)]
        pixels = pixels_of([picture_of(scene, icons, rng, styles) for scene in chosen])
        for scene, answer in zip(chosen, captions_of(model, pixels)):
            right[arrangement].append(answer == scenes.caption(scene))
            if not right[arrangement][-1]:
                wrong.append((scenes.caption(scene), answer))
    table(f"exact captions, {' and '.join(styles)}", right)
    some_wrong(wrong, show_wrong, seed)


def evaluate_answers(model: Loaded, icons, count: int, seed: str, show_wrong: int) -> None:
    rng = random.Random(seed)
    right, wrong = defaultdict(list), []
    # Most pictures hold one of everything: two and three are counted apart, or guessing "1" would look like counting.
    kinds = [(kind, kind) for kind in questions.KINDS if kind != "count"]
    kinds += [("count: none or one", "count"), ("count: two or three", "count")]
    for name, kind in kinds:
        asked = []
        while len(asked) < count:
            scene = scenes.random_scene(rng, held_out=True)
            question = questions.KINDS[kind](scene, rng)
            if question and (kind != "count" or (question.answer in ("0", "1")) == (name == "count: none or one")):
                asked.append((scene, question))
        pixels = pixels_of([picture_of(scene, icons, rng, scenes.TRAINING_STYLES) for scene, _ in asked])
        for (scene, question), answer in zip(asked, answers_of(model, pixels, [question.text for _, question in asked])):
            right[name].append(answer == question.answer)
            if not right[name][-1]:
                wrong.append((f"{scenes.caption(scene)}: {question.text} {question.answer}", answer))
    table("exact answers", right)
    some_wrong(wrong, show_wrong, seed)


def evaluate_retrieval(model: Loaded, icons, groups: int, seed: str) -> None:
    rng = random.Random(seed)
    right = defaultdict(list)
    for _ in range(groups):
        chosen = {}
        while len(chosen) < RETRIEVED_AMONG:
            scene = scenes.random_scene(rng, held_out=True)
            chosen[scenes.caption(scene)] = scene
        pixels = pixels_of([picture_of(scene, icons, rng, scenes.TRAINING_STYLES) for scene in chosen.values()])
        similarity = similarities(model, pixels, list(chosen))
        own = torch.arange(RETRIEVED_AMONG)
        right[f"caption of a picture, among {RETRIEVED_AMONG}"] += (similarity.argmax(1) == own).tolist()
        right[f"picture of a caption, among {RETRIEVED_AMONG}"] += (similarity.argmax(0) == own).tolist()
        changed = [scenes.caption(scenes.with_one_fact_wrong(scene, rng)[0]) for scene in chosen.values()]
        nearer = similarity.diag() > similarities(model, pixels, changed).diag()
        right["caption nearer than with one fact wrong"] += nearer.tolist()
    table("retrieval", right, in_all=False)


def evaluate_matching(model: Loaded, icons, count: int, seed: str) -> None:
    rng = random.Random(seed)
    right = defaultdict(list)
    for fact in scenes.FACTS:
        chosen = []
        while len(chosen) < count:
            scene = scenes.random_scene(rng, held_out=True)
            changed, actual = scenes.with_one_fact_wrong(scene, rng, fact)
            if actual == fact:
                chosen.append((scene, changed))
        pixels = pixels_of([picture_of(scene, icons, rng, scenes.TRAINING_STYLES) for scene, _ in chosen])
        true = match_probabilities(model, pixels, [scenes.caption(scene) for scene, _ in chosen])
        false = match_probabilities(model, pixels, [scenes.caption(changed) for _, changed in chosen])
        right["the true caption is accepted"] += [p > 0.5 for p in true]
        right[f"refused: wrong {fact}"] = [p <= 0.5 for p in false]
    accepted = right.pop("the true caption is accepted")
    table("matching, one fact wrong", {"accepted: true": accepted, **right})


def pixels_of_sample(name: str) -> torch.Tensor:
    # As a viewer shows it: the processor puts transparency on white, but turns nothing.
    return pixels_of([ImageOps.exif_transpose(Image.open(SAMPLES / name))])


def evaluate_samples(model: Loaded) -> bool:
    expected = json.loads((SAMPLES / "captions.json").read_text())
    rows = [(name, "", true, captions_of(model, pixels_of_sample(name))[0]) for name, true in expected.items()]
    for name, asked in json.loads((SAMPLES / "questions.json").read_text()).items():
        pixels = pixels_of_sample(name)
        rows += [(name, text, true, answers_of(model, pixels, [text])[0]) for text, true in asked.items()]
    print("\n| sample | question | answer | right |\n| --- | --- | --- | --- |")
    for name, text, true, answer in rows:
        print(f"| {name} | {text} | {answer} | {'yes' if answer == true else f'NO: {true}'} |")
    return all(answer == true for _, _, true, answer in rows)


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("icons", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--scenes", type=int, default=500, help="per arrangement, kind of wrong fact and kind of question")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--show-wrong", type=int, default=0)
    parser.add_argument("--skip-matching", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(2)
    model = load_checkpoint(options.checkpoint)
    icons = scenes.Icons(options.icons)
    evaluate_captions(model, icons, scenes.TRAINING_STYLES, options.scenes, f"{options.seed}/captions", options.show_wrong)
    for style in HELD_OUT_STYLES:
        evaluate_captions(model, icons, (style,), options.scenes // 5, f"{options.seed}/{style}", options.show_wrong)
    evaluate_answers(model, icons, options.scenes, f"{options.seed}/answers", options.show_wrong)
    evaluate_retrieval(model, icons, options.scenes // RETRIEVED_AMONG, f"{options.seed}/retrieval")
    if not options.skip_matching:
        evaluate_matching(model, icons, options.scenes, f"{options.seed}/matching")
    if not evaluate_samples(model):
        raise SystemExit("a committed sample gets another caption or answer than its file says")


if __name__ == "__main__":
    main()
