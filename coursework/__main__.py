"""The course's commands, each a step of `coursework.course` or the made-up class.

python -m coursework grade a1 WHO=ada
"""

import inspect
import os
import sys
from collections.abc import Callable

from coursework.course import HERE, Course, Stop
from coursework.sandbox.box import trouble
from coursework.words import counted, show

# Steps that concern all assignments.
ALONE = ("prepare", "formgrader", "gradebook")
OF_AN_ASSIGNMENT = ("assignment", "release", "deadline", "collect", "grade", "feedback")


def main(arguments: list[str]) -> int:
    """Take the step that the arguments name; return 0, or 1 after one sentence on stderr."""
    step, *more = arguments or [""]
    try:
        if step in BESIDE:
            return BESIDE[step](**told(BESIDE[step], more))
        if step in (*ALONE, *OF_AN_ASSIGNMENT):
            assignment = more[:1] if step in OF_AN_ASSIGNMENT else []
            if step in OF_AN_ASSIGNMENT and not any(assignment):
                raise Stop(f"Say which assignment, as in `make {step} A=a1`.")
            take = getattr(Course(), step)
            print(take(*assignment, **told(take, more)))
        else:
            raise Stop(
                f"There is no step {step!r}: write `python -m coursework` and one of "
                f"{', '.join((*OF_AN_ASSIGNMENT, *ALONE, *BESIDE))}."
            )
    except Stop as stop:
        print(stop, file=sys.stderr)
        return 1
    return 0


def told(step: Callable, arguments: list[str]) -> dict[str, object]:
    """What is said of a step's further parameters, as in AGAIN=1 or WHO=ada: here, or by make."""
    said = os.environ | dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    parameters = inspect.signature(step).parameters.values()
    further = {p.name: p.default for p in parameters if p.default is not p.empty}
    words = {name: said.get(name.upper(), "") for name in further}
    return {name: words[name] == "1" if further[name] is False else words[name] for name in further}


def quiz() -> int:
    """Write the quick questions as files for an LMS."""
    from coursework.quiz import save  # needs a part of what builds the site

    try:
        files = save(HERE / "lms")
    except ValueError as error:
        raise Stop(str(error)) from None
    print(f"Wrote the questions of {counted(len(files), 'chapter')} to {show(HERE / 'lms')}.")
    return 0


def slides() -> int:
    """Write a deck of slides for each week."""
    from coursework.decks import save as save_decks  # reads the chapters with the site's parser

    try:
        files = save_decks(HERE / "slides")
    except (ValueError, RuntimeError) as error:
        raise Stop(str(error)) from None
    decks = counted(len(files), "deck")
    print(f"Wrote {decks} to {show(HERE / 'slides')}: open week1.html in a browser.")
    return 0


def test(a: str = "") -> int:
    """Run the class of made-up students, or those of one assignment, and print its table.

    Returns 1 if anybody got something else than expected.
    """
    from coursework.synthetic.run import run, table  # imports nbgrader, which takes seconds

    if trouble() is not None:
        raise Stop(trouble())
    if a:
        Course().check(a)
    rows = run(a)
    print(table(rows))
    wrong = sum(not row.right for row in rows)
    print(f"{counted(len(rows), 'submission')}, {wrong} of them not as expected.")
    return int(wrong > 0)


BESIDE = {"quiz": quiz, "slides": slides, "test": test}  # and no steps of a course that runs


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
