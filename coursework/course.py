"""The steps of a term: release, collect, grade, give feedback, deadlines, and the gradebook.

Each wraps commands of nbgrader, keeps what they say in `log/`, and ends in one sentence. What it
leaves out is named on a line of its own before.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from coursework import tables
from coursework.folder import HERE, NAME, Folder, Stop, changed_cells, environment
from coursework.sandbox.box import share, trouble
from coursework.words import counted, listed, show

__all__ = ["HERE", "Course", "Stop"]


class Course(Folder):
    """A course, step by step."""

    def prepare(self) -> str:
        """Look whether everything is there that grading needs."""
        names = ", ".join(self.assignments())
        problem = trouble()
        if problem is not None:
            raise Stop(problem)
        return (
            f"Everything is there, the sandbox too. Assignments: {names}. Hand one out with "
            "`make release A=a1`."
        )

    def check(self, assignment: str) -> None:
        """Stop where there is no such assignment."""
        if assignment not in self.assignments():
            raise Stop(
                f"There is no assignment {assignment!r}: name one of "
                f"{', '.join(self.assignments())}, as in A=a1."
            )

    def assignment(self, name: str) -> str:
        """Begin an assignment of your own, with a notebook to change."""
        import nbformat

        from coursework import skeleton

        if not re.fullmatch(NAME, name):
            raise Stop(
                f"An assignment can't be called {name!r}: use letters, digits, `-` and `_`, and "
                "begin with a letter or digit, as in A=hw1."
            )
        target = self.source(name)
        if target.exists():
            raise Stop(f"There is an assignment {name} already: change {show(target)}.")
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(skeleton.notebook(name), target)
        return (
            f"Write your problems into {show(target)}, with their solutions and hidden tests; then "
            f"try them with `make course-test A={name}`, and run `make release A={name}`."
        )

    def release(self, assignment: str) -> str:
        """Make the students' version of an assignment; one that was there stays until then."""
        from coursework.grading.release import check_problems

        self.check(assignment)
        check_problems(self, assignment)
        new, target = self.folder / "release.new", self.folder / "release" / assignment
        shutil.rmtree(new, ignore_errors=True)
        self.nbgrader(
            *("generate_assignment", assignment, "--force"),
            "--CourseDirectory.release_directory=release.new",
        )
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            target.replace(new / "before")
        new.joinpath(assignment).replace(target)
        changed = changed_cells(*(f / f"{assignment}.ipynb" for f in (new / "before", target)))
        if changed:
            print(
                f"The students' version has changed in {listed(changed)}: whoever works on the one "
                "before will read that these cells were put back."
            )
        shutil.rmtree(new)
        handed_out = show(target / f"{assignment}.ipynb")
        return f"Hand out {handed_out}: no solution and no hidden test is in it."

    def deadline(self, assignment: str, due: str = "", who: str = "") -> str:
        """Set when an assignment is due, for everybody or for one student."""
        self.check(assignment)
        roster = self.roster()
        if who and roster and who not in roster:
            raise Stop(f"Nobody in students.csv has the id {who}: name one of {listed(roster)}.")
        try:
            at = self.deadlines().set(assignment, who, due)
        except ValueError as error:
            raise Stop(f"{error} Say DUE='2026-10-09 18:00'.") from None
        whose = f"for {who}" if who else "for everybody who has no extension"
        return f"{assignment} is due on {at:%A, %Y-%m-%d} at {at:%H:%M}, {whose}."

    def collect(self, assignment: str) -> str:
        """Sort what was handed in by student."""
        from coursework.grading.collecting import Newest, collect

        self._check_released(assignment)
        archive = self.folder / "downloaded" / assignment / "archive"
        if not archive.is_dir() or not any(archive.iterdir()):
            archive.mkdir(parents=True, exist_ok=True)
            raise Stop(
                f"Nothing was handed in yet: put the notebooks, or the archive that your LMS "
                f"makes of them, into {show(archive)}, and run this again. A file's name "
                f"begins with the student's id, as in ada_{assignment}.ipynb."
            )
        students, left_out = collect(
            archive,
            self.folder / "submitted",
            assignment,
            self.cells(),
            self.roster(),
            Newest(config=self.config()),
        )
        for sentence in left_out:
            print(sentence)
        return (
            f"Collected {len(students)} of {counted(len(students) + len(left_out), 'file')} for "
            f"{assignment}, a file for each student, and left out {len(left_out)}."
        )

    def grade(
        self, assignment: str, again: bool = False, unsafe: bool = False, who: str = ""
    ) -> str:
        """Run what was collected in the sandbox, and test it as the source now does.

        What was graded already is left alone unless it was handed in again, or the tests have
        changed. Points that a person gave stay with the answer that they were given to.

        Parameters
        ----------
        again : grade everything again
        unsafe : grade without a sandbox
        who : a student who is graded again, and nobody else
        """
        from coursework.grading.reading import complaints  # nbconvert takes a second

        self._check_released(assignment)
        if not unsafe and trouble() is not None:
            raise Stop(trouble())
        submitted = self.students("submitted", assignment)
        if not submitted:
            raise Stop(
                f"There is nothing to grade: run `make collect A={assignment}` first, or put each "
                f"notebook into {show(self.folder / 'submitted')}/ID/{assignment}/."
            )
        if who and who not in submitted:
            raise Stop(f"Nothing of {assignment} came from {who}: name one of {listed(submitted)}.")
        self.release(assignment)
        self.set_aside(assignment)
        foreign = self._foreign(submitted, assignment)
        before = self._graded(assignment)
        asked = {who} if who else submitted if again else submitted - before
        due = asked - foreign
        for student in sorted(due):
            for sentence in complaints(self.file("submitted", student, assignment)):
                print(sentence)
        if due:
            self.keep_earlier(due, assignment)
            self._autograde(sorted(due), submitted, assignment, unsafe)
        done = self._graded(assignment)
        faults = self._broken(due | (done & submitted), assignment)
        if faults:
            print(*faults[:-1], sep="\n")
            raise Stop(faults[-1])
        lost = asked - done
        if lost:
            raise Stop(
                f"Graded {len(done & submitted)} of {counted(len(submitted), 'submission')}. Not "
                f"graded: {listed(lost)}. See {show(self.folder / 'log')}, mend what they handed "
                "in, and run this again."
            )
        old, left = len(done & submitted - due), len(submitted - done)
        told = f"Graded {counted(len(due), 'submission')} of {assignment}"
        told += f", beside {old} from before." if old else "."
        if left:
            return f"{told} Not graded as it is now: {left} more; run `make grade A={assignment}`."
        return (
            f"{told} Read the written answers with `make formgrader`, then run "
            f"`make feedback A={assignment}`."
        )

    def formgrader(self) -> str:
        """Open nbgrader's page for reading written answers, until it is interrupted."""
        with contextlib.suppress(KeyboardInterrupt):
            subprocess.run(
                [sys.executable, "-m", "jupyterlab", str(self.folder)],
                cwd=self.folder,
                env=environment(),
            )
        return "Write each student's feedback with `make feedback A=a1`."

    def feedback(self, assignment: str, unread: bool = False) -> str:
        """Write each student's feedback as a page.

        Parameters
        ----------
        unread : also where answers wait for somebody who reads them
        """
        from coursework.grading.grades import unread_answers
        from coursework.grading.returning import give_back

        self.check(assignment)
        graded = self.students("autograded", assignment)
        if not graded:
            raise Stop(f"Nothing was graded yet: run `make grade A={assignment}` first.")
        done = self._graded(assignment)
        with self.database() as gradebook:
            waiting = unread_answers(gradebook, assignment, done)
        if waiting and not unread:
            raise Stop(
                f"{waiting}: do so with `make formgrader`, or publish everything as it is with "
                f"`make feedback A={assignment} UNREAD=1`."
            )
        late = (self.students("submitted", assignment) | graded) - done
        if late:
            print(f"No page for {listed(late)}: what they handed in is not graded.")
            for student in late:  # a page from before would say what is no longer so
                self.page(student, assignment).unlink(missing_ok=True)
        self.nbgrader("generate_feedback", assignment, "--force", but=late)
        for sentence in give_back(self, done, assignment):
            print(sentence)
        return (
            f"Wrote {counted(len(done), 'page')}: send each student their own, "
            f"{show(self.folder / 'feedback')}/ID/{assignment}/{assignment}.html."
        )

    def gradebook(self, lms: str = "") -> str:
        """Write the grades as a table.

        Parameters
        ----------
        lms : "canvas" or "moodle", for a table that it imports
        """
        from coursework.grading import grades, returning

        if lms not in ("", *grades.LMS):
            raise Stop(f"There is no table for {lms!r}: say LMS=canvas or LMS=moodle.")
        if not (self.folder / "gradebook.db").is_file():
            raise Stop("There is no gradebook yet: run `make release A=a1` first.")
        with self.database() as gradebook:
            graded = {a.name: self._graded(a.name) for a in gradebook.assignments}
            due = self.deadlines()
            lines = grades.table(gradebook, graded, self.roster(), due, self.handed_in)
            points = {name: gradebook.find_assignment(name).max_score for name in graded}
            waiting = [grades.unread_answers(gradebook, *each) for each in graded.items()]
        if not lines:
            raise Stop("Nobody is in the table yet: run `make collect A=a1` first.")
        for name, done in graded.items():
            late = self.students("submitted", name) - done
            if late:
                print(f"What {listed(late)} handed in for {name} is not graded, and is empty.")
            for sentence in self._broken(done, name):
                print(sentence)
        for answers in filter(None, waiting):
            print(f"{answers}: their points can still change.")
        target = self.folder / (f"grades-{lms}.csv" if lms else "grades.csv")
        if lms:
            lines = grades.for_lms(lms, lines, points, returning.canvas_numbers(self))
        tables.write(lines, target)
        return f"The grades are in {show(target)}, a line for each student."

    def _check_released(self, assignment: str) -> None:
        self.check(assignment)
        if not (self.folder / "release" / assignment / f"{assignment}.ipynb").is_file():
            raise Stop(
                f"Assignment {assignment} was not released yet: run `make release A={assignment}` "
                "first."
            )

    def _broken(self, students: set[str], assignment: str) -> list[str]:
        """A sentence for each hidden test that could not judge what some students handed in.

        The last sentence, where there are any, says what to do.
        """
        from coursework.grading.done import broken

        whose: dict[tuple[str, str], list[str]] = {}
        for student in students:
            for failure in broken(self.file("autograded", student, assignment)).items():
                whose.setdefault(failure, []).append(student)
        if not whose:
            return []
        told = [f"{test}, for {listed(who)}: {says}" for (test, says), who in whose.items()]
        mend = (
            f"Mend {listed({test for test, _ in whose})} in {show(self.source(assignment))}, and "
            f"run `make grade A={assignment}` again: until then these points wait, and nobody has "
            "lost them."
        )
        return [*sorted(told), mend]

    def _autograde(
        self, due: list[str], submitted: set[str], assignment: str, unsafe: bool
    ) -> None:
        """Run and test what some students handed in, shared out among several processes."""
        where = f"--RunInSandbox.{'unsafe=True' if unsafe else f'warm={share()}'}"

        def grade(number: int) -> None:
            self.nbgrader(
                *("autograde", assignment, where),
                but=submitted - set(due[number::jobs]),
                may_fail=True,
                log=f"autograde-{number + 1}",
            )

        jobs = min(self.jobs, len(due))
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(grade, range(jobs)))

    def _graded(self, assignment: str) -> set[str]:
        """The students whose submission, as it is now, is graded by the tests as they are now."""
        from coursework.grading.done import graded

        with self.database() as gradebook:
            return graded(self.folder, gradebook, assignment)

    def _foreign(self, students: set[str], assignment: str) -> set[str]:
        """The students who handed in another assignment; each is named."""
        from coursework.grading.collecting import foreign
        from coursework.grading.reading import ids

        cells, found = self.cells(), set()
        for student in sorted(students):
            other = foreign(ids(self.file("submitted", student, assignment)), assignment, cells)
            if other is not None:
                found.add(student)
                print(f"What {student} handed in holds the cells of {other}: ask for {assignment}.")
        return found
