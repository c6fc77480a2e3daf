"""Draws the sample pictures and writes what must be said of them. None was trained on: each caption is one of those held out.

    python make_samples.py ICONS ../samples
"""

import json
import random
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import scenes
from scenes import Scene, Thing

# The seed only chooses among the ways of drawing the same caption.
SAMPLES = [
    ("boat-on-the-water.jpg", (640, 426), 1, Scene("one", (Thing("boat"),), 1, "on the water")),
    ("cat-under-the-night-sky.png", (480, 360), 1, Scene("one", (Thing("cat"),), 1, "under the night sky")),
    ("red-circle-in-the-snow.png", (320, 320), 1, Scene("one", (Thing("circle", "red"),), 1, "in the snow")),
    ("two-umbrellas-on-a-beach.jpg", (640, 480), 1, Scene("count", (Thing("umbrella"),), 2, "on a sandy beach")),
    ("three-cats-in-the-snow.webp", (640, 480), 1, Scene("count", (Thing("cat"),), 3, "in the snow")),
    ("three-white-stars-on-blue.png", (400, 400), 1, Scene("count", (Thing("star", "white"),), 3, "blue")),
    ("three-butterflies-transparent.png", (400, 400), 1, Scene("count", (Thing("butterfly"),), 3, "white")),
    ("dog-and-cat-in-the-snow.jpg", (640, 480), 1, Scene("pair", (Thing("dog"), Thing("cat")), 1, "in the snow")),
    ("car-and-pig-stored-sideways.jpg", (480, 360), 1, Scene("pair", (Thing("car"), Thing("pig")), 1, "in a green field")),
    ("penguin-and-triangle.webp", (480, 360), 1, Scene("pair", (Thing("penguin"), Thing("triangle", "yellow")), 1, "orange")),
    ("rocket-above-house.png", (360, 480), 1, Scene("above", (Thing("rocket"), Thing("house")), 1, "under the night sky")),
    ("yellow-circle-above-rocket.webp", (400, 500), 1, Scene("above", (Thing("circle", "yellow"), Thing("rocket")), 1, "on the water")),
]
QUESTIONS = {
    "boat-on-the-water.jpg": {"what is this?": "a boat", "where is the boat?": "on the water", "how many fish are there?": "0"},
    "cat-under-the-night-sky.png": {"is there a cat?": "yes", "is there a dog?": "no", "is the cat in the snow?": "no"},
    "red-circle-in-the-snow.png": {"what color is the circle?": "red", "where is the circle?": "in the snow"},
    "two-umbrellas-on-a-beach.jpg": {"how many umbrellas are in the picture?": "2", "are there any cars?": "no"},
    "three-cats-in-the-snow.webp": {"how many cats are there?": "3", "what is in the picture?": "three cats"},
    "three-white-stars-on-blue.png": {
        "what color are the stars?": "white",
        "what color is the background?": "blue",
        "how many stars are there?": "3",
    },
    "three-butterflies-transparent.png": {"how many butterflies are there?": "3", "what colour is the background?": "white"},
    "dog-and-cat-in-the-snow.jpg": {
        "what is to the left of the cat?": "a dog",
        "what is on the right?": "a cat",
        "how many dogs are there?": "1",
        "where is the dog?": "in the snow",
    },
    "car-and-pig-stored-sideways.jpg": {"what is to the right of the car?": "a pig", "is the pig left of the car?": "no"},
    "penguin-and-triangle.webp": {
        "what color is the triangle?": "yellow",
        "is the triangle red?": "no",
        "what is left of the triangle?": "a penguin",
    },
    "rocket-above-house.png": {
        "what is above the house?": "a rocket",
        "what is below the rocket?": "a house",
        "is the rocket above the house?": "yes",
    },
    "yellow-circle-above-rocket.webp": {"what is above the rocket?": "a yellow circle", "is there a yellow circle?": "yes"},
}
EXIF_ORIENTATION, TURN_RIGHT_TO_VIEW = 0x0112, 6


def main() -> None:
    icons, folder = scenes.Icons(Path(sys.argv[1])), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    captions = {}
    for name, size, seed, scene in SAMPLES:
        captions[name] = scenes.caption(scene)
        assert scenes.is_held_out(captions[name]), f"training may have shown {captions[name]!r}"
        if "transparent" in name:
            picture = on_nothing(scene, icons, name, seed, size)
        else:
            picture = scenes.draw(scene, icons, random.Random(f"{name}/{seed}"), *size).image
        how = {".png": {"optimize": True}, ".jpg": {"quality": 88}, ".webp": {"quality": 88}}[Path(name).suffix]
        if "sideways" in name:
            picture = picture.transpose(Image.Transpose.ROTATE_90)
            exif = Image.Exif()
            exif[EXIF_ORIENTATION] = TURN_RIGHT_TO_VIEW
            how |= {"exif": exif}
        picture.save(folder / name, **how)
    (folder / "captions.json").write_text(json.dumps(captions, indent=2) + "\n")
    (folder / "questions.json").write_text(json.dumps(QUESTIONS, indent=2) + "\n")


def on_nothing(scene: Scene, icons: scenes.Icons, name: str, seed: int, size: tuple[int, int]) -> Image.Image:
    """The same things on white and on black: where the two differ, one sees through."""
    white, black = (
        np.asarray(scenes.draw(scene, icons, random.Random(f"{name}/{seed}"), *size, canvas=Image.new("RGB", size, ground)).image, np.float32)
        for ground in ("white", "black")
    )
    alpha = 1 - (white - black).mean(-1, keepdims=True) / 255
    colour = black / np.maximum(alpha, 1 / 255)
    return Image.fromarray(np.concatenate([colour, 255 * alpha], -1).clip(0, 255).round().astype(np.uint8))


if __name__ == "__main__":
    main()
