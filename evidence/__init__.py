"""What is too heavy for a page: tables over several seeds, and choices of settings.

A table is a module in `evidence/tables/` with

    SEEDS = range(5)                   # whole numbers
    CASES = ("case", "other case")     # names of what is measured with each seed
    AGREEMENT = 0.05                   # how far, relatively, numbers of a new run may be from kept
    READS = ("chapters/01_x.ipynb",)   # optional: notebooks whose code it runs
    def run(case: str, seed: int) -> dict[str, float]: ...

and beside it `NAME.json` with the numbers and a fingerprint of the code that made them.

    python -m evidence make [NAME ...]                  # whatever is missing or stale, resumable
    python -m evidence status                           # what is
    python -m evidence accept NAME --because "..."      # the code changed, the numbers did not

`seqdec_lib.book.evidence("NAME")` shows a table in a chapter.
"""
