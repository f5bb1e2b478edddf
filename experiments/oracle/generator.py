"""Charts by chance, from a seeded source of it.

What the oracle can't be told is left out: each is shown by a test named `test_excluded_...`.
"""

from random import Random

from experiments.oracle.sketch import GUARDS, Arc, Shape, Sketch

OUTSIDE = ("a", "a.x", "b", "c")
INSIDE = ("i", "j.k")
DEPTH_MAX = 3


def make_sketch(random: Random) -> Sketch:
    """Make a chart with some events for it."""
    return _Generator(random).sketch()


class _Generator:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.numbers = {"s": 0, "t": 0}
        self.budget = random.randint(2, 14)

    def sketch(self) -> Sketch:
        states = [self.state(1) for _ in range(self.random.randint(1, 3))]
        if self.chance(0.25):
            states.append(Shape(self.name("s"), "final"))
        whole = Shape("", children=states)
        self.aim(whole)
        for shape in whole.walk():
            if shape is not whole and shape.kind in {"state", "parallel"}:
                count = self.random.choice((0, 1, 1, 2, 3))
                shape.arcs = [self.arc(shape, whole) for _ in range(count)]
        events = tuple(self.random.choice(OUTSIDE) for _ in range(8))
        return Sketch(states, whole.targets, events, self.random.randint(2, 12))

    def state(self, depth: int) -> Shape:
        shape = Shape(self.name("s"))
        self.budget -= 1
        if self.chance(0.15):
            shape.raises = (self.random.choice(INSIDE),)
        if depth > DEPTH_MAX or self.budget <= 0 or self.chance(0.3):
            return shape
        if self.chance(0.45):
            shape.kind = "parallel"
        make = self.closing if shape.kind == "parallel" and self.chance(0.4) else self.state
        shape.children = [make(depth + 1) for _ in range(self.random.randint(2, 3))]
        if shape.kind == "state" and self.chance(0.4):
            shape.children.append(Shape(self.name("s"), "final"))
        if self.chance(0.35):
            past = Shape(self.name("s"), "history", deep=self.chance(0.5))
            shape.children.insert(self.random.randint(0, len(shape.children)), past)
        return shape

    def closing(self, depth: int) -> Shape:
        """Make a region that often reaches its final state."""
        region = Shape(self.name("s"))
        region.children = [self.state(depth + 1), Shape(self.name("s"), "final")]
        return region

    def aim(self, shape: Shape) -> None:
        """Choose the initials and the defaults of histories, from the outside in."""
        for child in shape.children:
            if child.kind == "history":
                child.targets = self.within(shape) if child.deep else (self.pick(shape.regions),)
            else:
                self.aim(child)
        if shape.kind == "state" and shape.children:
            pasts = [child for child in shape.children if child.kind == "history"]
            if pasts and self.chance(0.1):
                shape.targets = (pasts[0].id,)
            elif self.chance(0.3):
                shape.targets = self.within(shape)
            else:
                shape.targets = (self.pick(shape.regions),)

    def arc(self, source: Shape, whole: Shape) -> Arc:
        arc = Arc(
            self.name("t"), self.event(whole), guard=self.random.choice(GUARDS[:1] * 3 + GUARDS)
        )
        arc.burns = arc.event is None or not set(arc.event.split()) <= {"a", "a.*", "a.x", "b"}
        arc.targets = self.targets(whole)
        if arc.event is None and not arc.targets:
            arc.targets = (source.id,)
        below = {shape.id for shape in source.walk()}
        if arc.targets and below.issuperset(arc.targets):  # the oracle refuses any other
            arc.internal = self.chance(0.5)
        if self.chance(0.2):
            arc.raises = (self.random.choice(INSIDE),)
        return arc

    def event(self, whole: Shape) -> str | None:
        inside = [shape for shape in whole.walk() if shape.children and shape.id]
        composed = [shape.id for shape in inside]
        composed += [shape.id for shape in inside if shape.kind == "parallel"] * 3
        kind = self.random.random()
        if kind < 0.15:
            return None
        if kind < 0.3 and composed:
            return f"done.state.{self.random.choice(composed)}"
        return self.random.choice(("a", "a.x", "a.*", "b", "b a.x", "*", "i", "j", "j.k b"))

    def targets(self, whole: Shape) -> tuple[str, ...]:
        kind = self.random.random()
        pasts = [shape.id for shape in whole.walk() if shape.kind == "history"]
        if kind < 0.12:
            return ()
        if kind < 0.35 and pasts:
            return (self.random.choice(pasts),)
        return self.within(whole)

    def within(self, shape: Shape) -> tuple[str, ...]:
        """Choose a state inside another, or several in regions of a parallel one."""
        inside = [one for one in shape.walk() if one is not shape and one.kind != "history"]
        parallels = [one for one in (shape, *inside) if one.kind == "parallel"]
        if parallels and self.chance(0.2):
            regions = self.random.choice(parallels).regions
            chosen = self.random.sample(regions, 2)
            return tuple(self.pick(list(region.walk())) for region in chosen)
        return (self.pick(inside),)

    def pick(self, shapes: list[Shape]) -> str:
        return self.random.choice([shape.id for shape in shapes if shape.kind != "history"])

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def name(self, letter: str) -> str:
        self.numbers[letter] += 1
        return f"{letter}{self.numbers[letter]}"
