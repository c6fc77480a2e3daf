"""Prints the model card's figures for a checkpoint, as Hugging Face's own classes answer them.

    python evaluate.py ICONS ../checkpoint
    python evaluate.py ICONS ../checkpoint --scenes 200 --seed 2     quicker, on other scenes

Every scene's caption is held out: training never showed a picture with that sentence. Every picture takes
the whole road of a user's file: drawn at 320 to 640 px, encoded, decoded, resized by the image processor.
"""

import argparse
import io
import json
import random
from collections import defaultdict
from pathlib import Path

import torch
from PIL import Image, ImageOps

import scenes
from model import image_processor, load_checkpoint

SEED = 7
FORMATS = [("PNG", {}), ("JPEG", {"quality": 85}), ("WEBP", {"quality": 85})]
HELD_OUT_STYLES = ("twemoji", "openmoji")
SAMPLES = Path(__file__).parent.parent / "samples"


def picture_of(scene: scenes.Scene, icons: scenes.Icons, rng: random.Random, styles) -> Image.Image:
    width, height = rng.choice([(320, 320), (480, 360), (360, 480), (640, 480), (640, 426), (400, 500)])
    picture = scenes.draw(scene, icons, rng, width, height, styles).image
    encoded = io.BytesIO()
    name, how = rng.choice(FORMATS)
    picture.save(encoded, name, **how)
    return Image.open(encoded)


def captions_of(captioner, tokenizer, pixels: torch.Tensor) -> list[str]:
    answers = []
    for part in pixels.split(100):
        pieces = captioner.generate(pixel_values=part, max_new_tokens=20)
        answers += [tokenizer.decode(row, skip_special_tokens=True) for row in pieces]
    return answers


def match_probabilities(matcher, tokenizer, pixels: torch.Tensor, texts: list[str]) -> list[float]:
    answers = []
    for index, text in enumerate(texts):  # One by one: no padding, as a user asks.
        encoded = tokenizer(text, return_tensors="pt")
        score = matcher(
            input_ids=encoded["input_ids"],
            attention_mask=encoded["attention_mask"],
            pixel_values=pixels[index : index + 1],
            use_itm_head=True,
        ).itm_score
        answers.append(float(score.softmax(-1)[0, 1]))
    return answers


def table(title: str, right: dict[str, list[bool]]) -> None:
    everything = [answer for answers in right.values() for answer in answers]
    print(f"\n| {title} | right | of | per cent |\n| --- | --- | --- | --- |")
    for name, answers in [*right.items(), ("**all**", everything)]:
        print(f"| {name} | {sum(answers)} | {len(answers)} | {100 * sum(answers) / len(answers):.1f} |")


def evaluate_captions(models, icons, styles, count: int, seed: str, show_wrong: int) -> None:
    captioner, _, tokenizer = models
    rng = random.Random(seed)
    right, wrong = defaultdict(list), []
    for arrangement in scenes.ARRANGEMENTS:
        chosen = [scenes.random_scene(rng, held_out=True, arrangement=arrangement) for _ in range(count)]
        pictures = [picture_of(scene, icons, rng, styles) for scene in chosen]
        pixels = image_processor(images=pictures, return_tensors="pt")["pixel_values"]
        for scene, answer in zip(chosen, captions_of(captioner, tokenizer, pixels)):
            right[arrangement].append(answer == scenes.caption(scene))
            if not right[arrangement][-1]:
                wrong.append((scenes.caption(scene), answer))
    table(f"exact captions, {' and '.join(styles)}", right)
    for true, answer in random.Random(seed).sample(wrong, min(show_wrong, len(wrong))):
        print(f"    {true}  ->  {answer}")


def evaluate_matching(models, icons, count: int, seed: str) -> None:
    _, matcher, tokenizer = models
    rng = random.Random(seed)
    right = defaultdict(list)
    for fact in scenes.FACTS:
        chosen = []
        while len(chosen) < count:
            scene = scenes.random_scene(rng, held_out=True)
            changed, actual = scenes.with_one_fact_wrong(scene, rng, fact)
            if actual == fact:
                chosen.append((scene, changed))
        pictures = [picture_of(scene, icons, rng, scenes.TRAINING_STYLES) for scene, _ in chosen]
        pixels = image_processor(images=pictures, return_tensors="pt")["pixel_values"]
        true = match_probabilities(matcher, tokenizer, pixels, [scenes.caption(scene) for scene, _ in chosen])
        false = match_probabilities(matcher, tokenizer, pixels, [scenes.caption(changed) for _, changed in chosen])
        right["the true caption is accepted"] += [p > 0.5 for p in true]
        right[f"refused: wrong {fact}"] = [p <= 0.5 for p in false]
    accepted = right.pop("the true caption is accepted")
    table("matching, one fact wrong", {"accepted: true": accepted, **right})


def evaluate_samples(models) -> bool:
    captioner, _, tokenizer = models
    expected = json.loads((SAMPLES / "captions.json").read_text())
    # As a viewer shows them: the processor puts transparency on white, but turns nothing.
    pictures = [ImageOps.exif_transpose(Image.open(SAMPLES / name)) for name in expected]
    pixels = torch.cat([image_processor(images=picture, return_tensors="pt")["pixel_values"] for picture in pictures])
    answers = [captions_of(captioner, tokenizer, row[None])[0] for row in pixels]
    print("\n| sample | caption | right |\n| --- | --- | --- |")
    for (name, true), answer in zip(expected.items(), answers):
        print(f"| {name} | {answer} | {'yes' if answer == true else f'NO: {true}'} |")
    return answers == list(expected.values())


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("icons", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--scenes", type=int, default=500, help="per arrangement and per kind of wrong fact")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--show-wrong", type=int, default=0)
    parser.add_argument("--skip-matching", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(2)
    models = load_checkpoint(options.checkpoint)
    icons = scenes.Icons(options.icons)
    evaluate_captions(models, icons, scenes.TRAINING_STYLES, options.scenes, f"{options.seed}/captions", options.show_wrong)
    for style in HELD_OUT_STYLES:
        evaluate_captions(models, icons, (style,), options.scenes // 5, f"{options.seed}/{style}", options.show_wrong)
    if not options.skip_matching:
        evaluate_matching(models, icons, options.scenes, f"{options.seed}/matching")
    if (SAMPLES / "captions.json").exists() and not evaluate_samples(models):
        raise SystemExit("a committed sample gets another caption than captions.json says")


if __name__ == "__main__":
    main()
