"""Questions about scenes, each with the one answer it must get.

A question whose answer a person could dispute is not asked: no cat's colour, no circle beside a clock.

    python questions.py     prints questions about random scenes
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from scenes import COLOURS, GROUNDS, HIDDEN_BY_PLACE, NOUNS, SHAPES, Scene, Thing, ground_phrase, random_scene, subject


@dataclass(frozen=True)
class Question:
    kind: str
    text: str
    answer: str


# What could be taken for the name, or has it drawn on: a clock is round, a cake has strawberries, snowflakes are dots.
LIKENESSES = {
    "circle": {"ball", "clock", "donut", "in the snow", "under the night sky"},
    "square": {"gift", "house"},
    "triangle": {"boat", "house", "pizza", "watermelon"},
    "star": {"rocket", "under the night sky"},
    "strawberry": {"cake"},
}


def is_disputable(asked: Thing, scene: Scene) -> bool:
    seen = {thing.name for thing in scene.things} | {scene.ground}
    return not seen.isdisjoint(LIKENESSES.get(asked.name, ()))


def answers_to(asked: Thing, scene: Scene) -> list[Thing]:
    """The scene's things that the words fit: "circle" fits every circle, "red circle" the red ones."""
    return [thing for thing in scene.things if thing.name == asked.name and asked.colour in (None, thing.colour)]


def with_or_without_colour(thing: Thing, rng: random.Random) -> Thing:
    return replace(thing, colour=None) if rng.random() < 0.5 else thing


def absent_thing(scene: Scene, rng: random.Random) -> Thing:
    """Half of the time the next best thing to one that is there: another colour, or another shape in its colour."""
    while True:
        shapes = [thing for thing in scene.things if thing.colour]
        if shapes and rng.random() < 0.5:
            near = rng.choice(shapes)
            asked = replace(near, colour=rng.choice(list(COLOURS))) if rng.random() < 0.5 else replace(near, name=rng.choice(SHAPES))
        elif rng.random() < 0.7:
            asked = Thing(rng.choice(NOUNS))
        else:
            asked = with_or_without_colour(Thing(rng.choice(SHAPES), rng.choice(list(COLOURS))), rng)
        if not answers_to(asked, scene) and not is_disputable(asked, scene):
            return asked


def the(thing: Thing, scene: Scene, rng: random.Random) -> str:
    """Words that point to one of the scene's things, or to all of a count."""
    short = replace(thing, colour=None)
    pointed = short if len(answers_to(short, scene)) == 1 and rng.random() < 0.5 else thing
    return f"the {pointed.plural}" if scene.count > 1 else f"the {pointed.singular.split(' ', 1)[1]}"


def in_the_picture(rng: random.Random) -> str:
    return f"in the {rng.choices(['picture', 'image', 'photo'], [6, 2, 2])[0]}"


# One function per kind. None: this scene leaves the answer open.


def colour(scene: Scene, rng: random.Random) -> Question | None:
    shapes = [thing for thing in scene.things if thing.colour and len(answers_to(replace(thing, colour=None), scene)) == 1]
    spelling = "color" if rng.random() < 0.7 else "colour"
    if scene.ground in COLOURS and (not shapes or rng.random() < 0.3):
        return Question("colour", f"what {spelling} is the background?", scene.ground)
    if not shapes:
        return None
    thing = rng.choice(shapes)
    verb, name = ("are", replace(thing, colour=None).plural) if scene.count > 1 else ("is", thing.name)
    return Question("colour", f"what {spelling} {verb} the {name}?", thing.colour)


def count(scene: Scene, rng: random.Random) -> Question | None:
    absent = rng.random() < (0.1 if scene.count > 1 else 0.25)
    asked = absent_thing(scene, rng) if absent else with_or_without_colour(rng.choice(scene.things), rng)
    if is_disputable(asked, scene):
        return None
    number = scene.count * len(answers_to(asked, scene))
    return Question("count", f"how many {asked.plural} are {'there' if rng.random() < 0.6 else in_the_picture(rng)}?", str(number))


def what(scene: Scene, rng: random.Random) -> Question:
    return Question("what", f"what is {in_the_picture(rng) if rng.random() < 0.7 else 'this'}?", subject(scene))


def relations(scene: Scene, rng: random.Random) -> tuple[str, str]:
    """How the first thing lies to the second, and the second to the first."""
    if scene.arrangement == "above":
        return "above", "under" if rng.random() < 0.25 else "below"
    to_the = "to the " if rng.random() < 0.5 else ""
    return f"{to_the}left of", f"{to_the}right of"


def order(scene: Scene, rng: random.Random) -> Question | None:
    if scene.arrangement not in ("pair", "above"):
        return None
    asked = rng.randrange(2)
    lies = f"{relations(scene, rng)[asked]} {the(scene.things[1 - asked], scene, rng)}"
    if scene.arrangement == "pair" and rng.random() < 0.2:
        lies = f"on the {('left', 'right')[asked]}"
    return Question("order", f"what is {lies}?", scene.things[asked].singular)


def where(scene: Scene, rng: random.Random) -> Question:
    verb = "are" if scene.count > 1 else "is"
    return Question("where", f"where {verb} {the(rng.choice(scene.things), scene, rng)}?", ground_phrase(scene.ground))


def presence(scene: Scene, rng: random.Random) -> Question | None:
    present = rng.random() < 0.5
    asked = with_or_without_colour(rng.choice(scene.things), rng) if present else absent_thing(scene, rng)
    if is_disputable(asked, scene):
        return None
    opening = f"is there {asked.singular}" if rng.random() < 0.75 else f"are there any {asked.plural}"
    return Question("presence", f"{opening}{'' if rng.random() < 0.6 else ' ' + in_the_picture(rng)}?", "yes" if present else "no")


def is_like(one: str, other: str) -> bool:
    """Snow and a white ground, for one: whatever hides the same shapes."""
    return one == other or one in HIDDEN_BY_PLACE.get(other, ()) or other in HIDDEN_BY_PLACE.get(one, ())


def truth(scene: Scene, rng: random.Random) -> Question:
    """Whether one thing said of a thing that is there is so: its ground, its colour, or where the other one is."""
    is_true = rng.random() < 0.5
    index = rng.randrange(len(scene.things))
    thing, ground = scene.things[index], scene.ground
    said = ground_phrase(ground if is_true else rng.choice([other for other in GROUNDS if not is_like(other, ground)]))
    pointed = the(thing, scene, rng)
    if len(scene.things) == 2 and rng.random() < 0.5:
        relation = relations(scene, rng)[index if is_true else 1 - index]
        said = f"{relation} {the(scene.things[1 - index], scene, rng)}"
    elif len(answers_to(short := replace(thing, colour=None), scene)) == 1 and thing.colour and rng.random() < 0.6:
        said = thing.colour if is_true else rng.choice([colour for colour in COLOURS if colour != thing.colour])
        pointed = f"the {short.plural if scene.count > 1 else short.name}"
    return Question("truth", f"{'are' if scene.count > 1 else 'is'} {pointed} {said}?", "yes" if is_true else "no")


KINDS: dict[str, Callable[[Scene, random.Random], Question | None]] = {
    "colour": colour,
    "count": count,
    "what": what,
    "order": order,
    "where": where,
    "presence": presence,
    "truth": truth,
}
SHARES = {"colour": 0.15, "count": 0.25, "what": 0.1, "order": 0.15, "where": 0.1, "presence": 0.13, "truth": 0.12}


def ask(scene: Scene, rng: random.Random) -> Question:
    while True:
        kind = rng.choices(list(SHARES), list(SHARES.values()))[0]
        question = KINDS[kind](scene, rng)
        if question:
            return question


def main() -> None:
    rng = random.Random(1)
    for _ in range(40):
        scene = random_scene(rng, held_out=False)
        question = ask(scene, rng)
        print(f"{subject(scene)} {ground_phrase(scene.ground)}: {question.text} {question.answer}")


if __name__ == "__main__":
    main()
