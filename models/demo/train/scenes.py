"""Scenes of icons and coloured shapes on a ground, each with the one caption it must get.

A scene is described first (`Scene`), then captioned (`caption`) and drawn (`draw`): the caption never
depends on pixels. One caption in ten is held out by its hash, so that evaluation asks for sentences
that training never showed.

    python scenes.py ICONS SHEET.png     draws a sheet of scenes to look at
"""

import io
import json
import math
import random
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

NOUNS = list(json.loads((Path(__file__).parent / "nouns.json").read_text()))
SHAPES = ["circle", "square", "triangle", "star", "heart"]
# Hue in degrees, saturation and value in percent. The gaps between ranges keep every colour nameable;
# each range holds the colour that CSS gives the name.
COLOURS = {
    "red": ((-7, 7), (75, 100), (70, 100)),
    "orange": ((24, 39), (80, 100), (92, 100)),
    "yellow": ((48, 61), (65, 100), (93, 100)),
    "green": ((95, 150), (50, 100), (42, 100)),
    "blue": ((206, 241), (65, 100), (55, 100)),
    "purple": ((266, 301), (50, 100), (42, 82)),
    "black": ((0, 360), (0, 15), (0, 13)),
    "white": ((0, 360), (0, 3), (96, 100)),
}
PLACES = ["in a green field", "on a sandy beach", "in the snow", "under the night sky", "on the water"]
GROUNDS = list(COLOURS) + PLACES
COUNTS = {2: "two", 3: "three"}
QUESTION_WORDS = "any are below color colour how left many no right this to what where yes".split()
PLURALS = {
    "bus": "buses",
    "butterfly": "butterflies",
    "cactus": "cacti",
    "fish": "fish",
    "snowman": "snowmen",
    "strawberry": "strawberries",
}
TRAINING_STYLES = ("fluent-emoji-flat", "fluent-emoji", "noto")

# What a patch can show, for the throw-away head of pre-training: nothing, a noun or a shape.
THING_CLASSES = 1 + len(NOUNS) + len(SHAPES)
# What part a patch's thing plays in the sentence. Every patch of ground is told the arrangement.
PARTS = ["one", "two", "three", "left", "right", "upper", "lower", "pair", "above"]


@dataclass(frozen=True)
class Thing:
    """A noun without a colour, or a shape with one."""

    name: str
    colour: str | None = None

    @property
    def singular(self) -> str:
        words = f"{self.colour} {self.name}" if self.colour else self.name
        return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"

    @property
    def plural(self) -> str:
        name = PLURALS.get(self.name, self.name + "s")
        return f"{self.colour} {name}" if self.colour else name


@dataclass(frozen=True)
class Scene:
    """`pair` names the left thing first, `above` the upper one; `count` repeats one thing."""

    arrangement: str  # one, count, pair or above
    things: tuple[Thing, ...]
    count: int
    ground: str


ARRANGEMENTS = {"one": 0.22, "count": 0.30, "pair": 0.29, "above": 0.19}


def ground_phrase(ground: str) -> str:
    if ground in PLACES:
        return ground
    return f"on {'an' if ground[0] in 'aeiou' else 'a'} {ground} background"


def subject(scene: Scene) -> str:
    if scene.arrangement == "one":
        return scene.things[0].singular
    if scene.arrangement == "count":
        return f"{COUNTS[scene.count]} {scene.things[0].plural}"
    joint = "and" if scene.arrangement == "pair" else "above"
    return f"{scene.things[0].singular} {joint} {scene.things[1].singular}"


def caption(scene: Scene) -> str:
    return f"{subject(scene)} {ground_phrase(scene.ground)}"


def is_held_out(text: str) -> bool:
    return zlib.crc32(text.encode()) % 10 == 0


def vocabulary() -> list[str]:
    """Special tokens, single characters so that no lower-case ASCII word is lost, then the domain's words.

    The words that only questions and answers need come last: they were added last, and no older id moved.
    """
    characters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + [str(digit) for digit in range(10)]
    words = set("a an and above on in the of is there picture photo image background".split())
    words |= set(COLOURS) | set(COUNTS.values()) | {word for place in PLACES for word in place.split()}
    for name in NOUNS + SHAPES:
        words |= {name, PLURALS.get(name, name + "s")}
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"!\"#$%&'()*+,-./:;<=>?@", *characters]
    pieces += ["##" + character for character in characters]
    return pieces + sorted(words - set(pieces)) + QUESTION_WORDS


# Choosing a scene


def random_thing(rng: random.Random, forbidden_colours: set[str]) -> Thing:
    if rng.random() < 0.62:
        return Thing(rng.choice(NOUNS))
    return Thing(rng.choice(SHAPES), rng.choice([c for c in COLOURS if c not in forbidden_colours]))


# A shape in its ground's own colour cannot be seen; the night is nearly black and snow nearly white.
HIDDEN_BY_PLACE = {
    "in a green field": {"green"},
    "in the snow": {"white"},
    "under the night sky": {"black"},
    "on the water": {"blue"},
}


def random_scene(rng: random.Random, held_out: bool, arrangement: str | None = None) -> Scene:
    while True:
        kind = arrangement or rng.choices(list(ARRANGEMENTS), list(ARRANGEMENTS.values()))[0]
        ground = rng.choice(PLACES) if rng.random() < 0.42 else rng.choice(list(COLOURS))
        forbidden = HIDDEN_BY_PLACE.get(ground, {ground})
        things = [random_thing(rng, forbidden) for _ in range(2 if kind in ("pair", "above") else 1)]
        if len(set(things)) < len(things):
            continue
        count = rng.choice(list(COUNTS)) if kind == "count" else 1
        scene = Scene(kind, tuple(things), count, ground)
        if is_held_out(caption(scene)) == held_out:
            return scene


FACTS = ["thing", "colour", "count", "ground", "order"]


def with_one_fact_wrong(scene: Scene, rng: random.Random, fact: str | None = None) -> tuple[Scene, str]:
    """A scene that differs in exactly one fact, so that its caption is false of the first one's picture."""
    coloured = [index for index, thing in enumerate(scene.things) if thing.colour]
    possible = ["thing", "ground"] + (["colour"] if coloured else [])
    possible += ["count"] if scene.arrangement in ("one", "count") else ["order"]
    fact = fact if fact in possible else rng.choice(possible)
    things = list(scene.things)
    if fact == "order":
        return replace(scene, things=(things[1], things[0])), fact
    if fact == "ground":
        return replace(scene, ground=rng.choice([g for g in GROUNDS if g != scene.ground])), fact
    if fact == "count":
        count = rng.choice([n for n in (1, *COUNTS) if n != scene.count])
        return replace(scene, arrangement="one" if count == 1 else "count", count=count), fact
    if fact == "colour":
        index = rng.choice(coloured)
        things[index] = replace(things[index], colour=rng.choice([c for c in COLOURS if c != things[index].colour]))
    else:
        index = rng.randrange(len(things))
        names = SHAPES if things[index].colour else NOUNS
        things[index] = replace(things[index], name=rng.choice([n for n in names if n != things[index].name]))
    changed = replace(scene, things=tuple(things))
    return (changed, fact) if len(set(things)) == len(things) else with_one_fact_wrong(scene, rng, fact)


# Drawing


class Icons:
    """Icons at several sizes, so that scaling one to its place stays sharp without aliasing."""

    def __init__(self, folder: Path):
        about = json.loads((folder / "atlas.json").read_text())
        assert about["nouns"] == NOUNS, "the atlas is of other nouns: run rasterize_icons.mjs again"
        side = about["side"]
        pixels = np.fromfile(folder / "atlas.rgba", np.uint8).reshape(len(about["styles"]), len(NOUNS), side, side, 4)
        self.levels = {
            (style, noun): halvings(Image.fromarray(pixels[s, n]))
            for s, style in enumerate(about["styles"])
            for n, noun in enumerate(NOUNS)
        }
        self.shapes = {shape: halvings(shape_mask(shape, 256)) for shape in SHAPES}


def halvings(image: Image.Image) -> list[Image.Image]:
    levels = [image]
    while levels[-1].width > 16:
        levels.append(image.resize((levels[-1].width // 2,) * 2, Image.Resampling.BOX))
    return levels


def shape_mask(shape: str, side: int) -> Image.Image:
    large = 4 * side
    mask = Image.new("L", (large, large), 0)
    pen = ImageDraw.Draw(mask)
    if shape == "circle":
        pen.ellipse([0.05 * large, 0.05 * large, 0.95 * large, 0.95 * large], fill=255)
    elif shape == "square":
        pen.rectangle([0.1 * large, 0.1 * large, 0.9 * large, 0.9 * large], fill=255)
    elif shape == "triangle":
        pen.polygon([(0.5 * large, 0.06 * large), (0.96 * large, 0.9 * large), (0.04 * large, 0.9 * large)], fill=255)
    elif shape == "star":
        points = []
        for corner in range(10):
            radius = large * (0.5 if corner % 2 == 0 else 0.2)
            angle = math.pi * (corner / 5 - 0.5)
            points.append((0.5 * large + radius * math.cos(angle), 0.53 * large + radius * math.sin(angle)))
        pen.polygon(points, fill=255)
    else:
        t = np.linspace(0, 2 * math.pi, 200)
        x = 16 * np.sin(t) ** 3
        y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
        pen.polygon(list(zip(large * (0.5 + x / 36), large * (0.47 - y / 36))), fill=255)
    return mask.resize((side, side), Image.Resampling.BOX)


def placed(levels: list[Image.Image], width: int, height: int, degrees: float, mirrored: bool) -> Image.Image:
    """Scales, turns and mirrors in one bilinear step, from the smallest level that still has the detail."""
    source = next((level for level in reversed(levels) if level.width >= max(width, height)), levels[0])
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    scale_x, scale_y = source.width / width, source.height / height
    flip = -1 if mirrored else 1
    # Maps a target pixel's centre to the source, through the turn about the middle.
    a, b = flip * c * scale_x, flip * s * scale_x
    d, e = -s * scale_y, c * scale_y
    offset_x = source.width / 2 - a * width / 2 - b * height / 2
    offset_y = source.height / 2 - d * width / 2 - e * height / 2
    return source.transform((width, height), Image.Transform.AFFINE, (a, b, offset_x, d, e, offset_y), Image.Resampling.BILINEAR)


def colour_of(rng: random.Random, name: str) -> tuple[int, int, int]:
    (h0, h1), (s0, s1), (v0, v1) = COLOURS[name]
    hue, saturation, value = rng.uniform(h0, h1), rng.uniform(s0, s1), rng.uniform(v0, v1)
    # Pure colours are what people draw with: full saturation is more than a chance end of its range.
    if rng.random() < 0.2 and name not in ("black", "white"):
        saturation = s1
    return hsv(hue, saturation / 100, value / 100)


def hsv(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    def channel(n: int) -> int:
        k = (n + hue / 60) % 6
        return round(255 * (value - value * saturation * max(0, min(k, 4 - k, 1))))

    return channel(5), channel(3), channel(1)


def nudged(rng: random.Random, rgb: tuple[int, int, int], amount: float) -> tuple[int, int, int]:
    return tuple(int(min(255, max(0, channel + rng.uniform(-amount, amount)))) for channel in rgb)


def gradient(width: int, height: int, first, last, vertical: bool = True) -> Image.Image:
    steps = np.linspace(0, 1, height if vertical else width, dtype=np.float32)[:, None]
    line = (np.array(first) * (1 - steps) + np.array(last) * steps).astype(np.uint8)
    line = line[:, None, :] if vertical else line[None, :, :]
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(line, (height, width, 3))))


def draw_ground(rng: random.Random, ground: str, width: int, height: int) -> Image.Image:
    if ground in COLOURS:
        colour = colour_of(rng, ground)
        if rng.random() < 0.5:
            return Image.new("RGB", (width, height), colour)
        return gradient(width, height, nudged(rng, colour, 10), nudged(rng, colour, 10), rng.random() < 0.5)
    horizon = int(height * rng.uniform(0.3, 0.6))
    unit = min(width, height)

    def band(top: int, bottom: int, rgb: tuple[int, int, int]) -> None:
        image.paste(nudged(rng, rgb, 10), (0, top, width, bottom))

    day = lambda: gradient(width, height, nudged(rng, (115, 185, 245), 14), nudged(rng, (195, 225, 250), 14))
    if ground == "in a green field":
        image = day()
        band(horizon, height, (90, 170, 60))
        pen = ImageDraw.Draw(image)
        if rng.random() < 0.5:
            hill = rng.uniform(-0.2, 0.8) * width
            pen.ellipse([hill, horizon - 0.12 * unit, hill + 0.9 * unit, horizon + 0.3 * unit], fill=nudged(rng, (80, 155, 55), 10))
        for _ in range(14):
            x, y, size = rng.uniform(0, width), rng.uniform(horizon, height), rng.uniform(0.02, 0.05) * unit
            pen.line([x, y, x + size * 0.3, y - size], fill=nudged(rng, (65, 140, 45), 10), width=max(1, int(unit * 0.01)))
    elif ground == "on a sandy beach":
        image = day()
        shore = horizon + int(height * rng.uniform(0.08, 0.16))
        band(horizon, shore, (40, 120, 195))
        band(shore, height, (232, 205, 150))
        pen = ImageDraw.Draw(image)
        for _ in range(12):
            x, y, size = rng.uniform(0, width), rng.uniform(shore, height), max(0.5, 0.008 * unit)
            pen.ellipse([x - size, y - size, x + size, y + size], fill=nudged(rng, (200, 170, 115), 12))
    elif ground == "in the snow":
        image = gradient(width, height, nudged(rng, (160, 178, 202), 12), nudged(rng, (205, 216, 230), 12))
        band(horizon, height, (243, 246, 251))
        pen = ImageDraw.Draw(image)
        for _ in range(28):
            x, y, size = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.008, 0.02) * unit
            pen.ellipse([x - size, y - size, x + size, y + size], fill=(255, 255, 255))
    elif ground == "under the night sky":
        image = gradient(width, height, nudged(rng, (10, 14, 48), 8), nudged(rng, (38, 44, 96), 10))
        pen = ImageDraw.Draw(image)
        for _ in range(30):
            x, y, size = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.005, 0.014) * unit
            pen.ellipse([x - size, y - size, x + size, y + size], fill=(250, 250, 220))
    else:
        image = gradient(width, height, nudged(rng, (160, 205, 240), 12), nudged(rng, (205, 228, 246), 12))
        band(horizon, height, (38, 110, 185))
        pen = ImageDraw.Draw(image)
        for _ in range(14):
            x, y, size = rng.uniform(-0.1, 1) * width, rng.uniform(horizon, height), rng.uniform(0.1, 0.18) * unit
            pen.arc([x, y, x + size, y + size * 0.4], 200, 340, fill=nudged(rng, (135, 195, 230), 12), width=max(1, int(unit * 0.015)))
    return image


def boxes(rng: random.Random, scene: Scene, width: int, height: int) -> list[tuple[float, float, float]]:
    """Centre and side of each thing, in pixels; the arrangement shows and nothing covers anything."""
    unit = min(width, height)
    if scene.arrangement == "one":
        side = unit * rng.uniform(0.42, 0.88)
        return [(rng.uniform(side / 2, width - side / 2), rng.uniform(side / 2, height - side / 2), side)]
    if scene.arrangement in ("pair", "above"):
        along, across = (width, height) if scene.arrangement == "pair" else (height, width)
        places = []
        for half in (0, 1):
            side = min(unit * rng.uniform(0.36, 0.54), along / 2)
            position = rng.uniform(half * along / 2 + side / 2, (half + 1) * along / 2 - side / 2)
            # Near the middle line across, so that a pair is not mistaken for one above the other.
            reach = min(0.13 * unit, across / 2 - side / 2)
            other = across / 2 + rng.uniform(-reach, reach)
            places.append((position, other, side) if scene.arrangement == "pair" else (other, position, side))
        return places
    side = unit * (rng.uniform(0.32, 0.48) if scene.count == 2 else rng.uniform(0.28, 0.40))
    while True:
        places = []
        for _ in range(40):
            x, y = rng.uniform(side / 2, width - side / 2), rng.uniform(side / 2, height - side / 2)
            if all(max(abs(x - other_x), abs(y - other_y)) >= side * 0.96 for other_x, other_y, _ in places):
                places.append((x, y, side))
            if len(places) == scene.count:
                return places
        side *= 0.95


@dataclass(frozen=True)
class Drawing:
    image: Image.Image
    mask: Image.Image  # 0 where the ground shows, k where the k-th drawn thing does
    drawn: tuple[Thing, ...]


def draw(
    scene: Scene,
    icons: Icons,
    rng: random.Random,
    width: int,
    height: int,
    styles=TRAINING_STYLES,
    stretch: float = 1.0,
    canvas: Image.Image | None = None,
) -> Drawing:
    """`stretch` widens everything, as if a picture 1/stretch times as wide had been resized to this one.

    `canvas` takes the place of a drawn ground.
    """
    true_width = width / stretch
    image = draw_ground(rng, scene.ground, width, height)
    if canvas is not None:
        image = canvas
    mask = Image.new("L", (width, height), 0)
    drawn = scene.things if scene.arrangement != "count" else scene.things * scene.count
    style = rng.choice(styles)
    tints = {thing: colour_of(rng, thing.colour) for thing in scene.things if thing.colour}
    mirrored = rng.random() < 0.4
    for index, (thing, (x, y, side)) in enumerate(zip(drawn, boxes(rng, scene, true_width, height))):
        size = max(4, round(side * stretch)), max(4, round(side))
        corner = round(x * stretch - size[0] / 2), round(y - size[1] / 2)
        degrees = rng.uniform(-12, 12) if rng.random() < 0.5 else 0
        if thing.colour:
            alpha = placed(icons.shapes[thing.name], *size, degrees, False)
            image.paste(tints[thing], (*corner, corner[0] + size[0], corner[1] + size[1]), alpha)
        else:
            sprite = placed(icons.levels[style, thing.name], *size, degrees, mirrored)
            alpha = sprite.getchannel("A")
            image.paste(sprite, corner, alpha)
        mask.paste(index + 1, (*corner, corner[0] + size[0], corner[1] + size[1]), alpha.point(lambda level: 255 if level > 127 else 0))
    return Drawing(image, mask, drawn)


def as_seen(
    scene: Scene, icons: Icons, rng: random.Random, side: int, large_share: float = 0.125, styles=TRAINING_STYLES
) -> tuple[Image.Image, Drawing]:
    """The square picture that the model is given, and the drawing that its labels come from.

    Most are drawn at the model's own side, which is quick. The share of large ones takes the road of a
    user's picture: drawn large and oblong, compressed as JPEG, resized with Pillow's bicubic filter.
    """
    stretch = 1.0 if rng.random() < 0.4 else math.exp(rng.uniform(-0.45, 0.45))
    if rng.random() < large_share:
        tall = rng.randint(3 * side, 6 * side)
        wide = round(tall / stretch)
        drawing = draw(scene, icons, rng, wide, tall, styles)
        picture = drawing.image
        if rng.random() < 0.6:
            encoded = io.BytesIO()
            picture.save(encoded, "JPEG", quality=rng.randint(55, 95))
            picture = Image.open(encoded).convert("RGB")
        return picture.resize((side, side), Image.Resampling.BICUBIC), drawing
    drawing = draw(scene, icons, rng, side, side, styles, stretch)
    picture = drawing.image
    if rng.random() < 0.15:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.6)))
    return picture, drawing


def patch_labels(scene: Scene, drawing: Drawing, side: int, patch: int) -> np.ndarray:
    """Three rows, a number per patch: which thing it shows (0 for none), which colour or ground, which part.

    A noun has no colour: -1.
    """
    mask = np.asarray(drawing.mask if drawing.mask.size == (side, side) else drawing.mask.resize((side, side), Image.Resampling.NEAREST))
    grid = side // patch
    tiles = mask.reshape(grid, patch, grid, patch).transpose(0, 2, 1, 3).reshape(grid * grid, patch * patch)
    whole = COUNTS.get(scene.count, scene.arrangement)
    parts = {"pair": ("left", "right"), "above": ("upper", "lower")}.get(scene.arrangement, (whole,) * scene.count)
    labels = np.empty((3, grid * grid), np.int64)
    labels[0], labels[1], labels[2] = 0, GROUNDS.index(scene.ground), PARTS.index(whole)
    for index, (thing, part) in enumerate(zip(drawing.drawn, parts)):
        covered = (tiles == index + 1).mean(1) > 0.25
        labels[0, covered] = 1 + (NOUNS + SHAPES).index(thing.name)
        labels[1, covered] = GROUNDS.index(thing.colour) if thing.colour else -1
        labels[2, covered] = PARTS.index(part)
    return labels


def main() -> None:
    import sys
    import time

    icons, rng = Icons(Path(sys.argv[1])), random.Random(1)
    started = time.perf_counter()
    pictures = []
    for _ in range(400):
        scene = random_scene(rng, held_out=False)
        pictures.append((scene, as_seen(scene, icons, rng, 64)[0]))
    print(f"{(time.perf_counter() - started) / 400 * 1e3:.2f} ms a scene, {len(vocabulary())} pieces")
    sheet = Image.new("RGB", (8 * 190, 6 * 150), "white")
    pen = ImageDraw.Draw(sheet)
    for index, (scene, picture) in enumerate(pictures[:48]):
        x, y = index % 8 * 190, index // 8 * 150
        sheet.paste(picture.resize((128, 128), Image.Resampling.NEAREST), (x, y))
        pen.text((x, y + 130), caption(scene)[:32], fill="black")
    sheet.save(sys.argv[2])


if __name__ == "__main__":
    main()
