"""The course's settings; nbgrader reads them in this folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from nbgrader.preprocessors import (  # noqa: E402
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
    OverwriteCells,
    OverwriteKernelspec,
)

from coursework.grading.done import Seal  # noqa: E402
from coursework.grading.feedback import (  # noqa: E402
    INCLUDED,
    TEMPLATES,
    HideTests,
    NameProblems,
    Page,
)
from coursework.grading.points import Drop, SavePoints  # noqa: E402
from coursework.grading.reading import AnyFile  # noqa: E402
from coursework.grading.release import SaveIfWhole, SetTerm  # noqa: E402
from coursework.grading.restore import Restore  # noqa: E402
from coursework.grading.run import RunInSandbox  # noqa: E402

TERM = 0  # next term another number: it seeds the notebooks and all hidden cases
DROPPED = []  # problems that count for nobody, as in ["a1-worse"]

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "seqdec"
c.SetTerm.term = c.RunInSandbox.term = TERM
c.Drop.dropped = DROPPED

c.GenerateAssignment.preprocessors = [
    SetTerm,
    Drop,
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    SaveIfWhole,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
]
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError"}

c.Autograde.exporter_class = AnyFile
c.Autograde.sanitize_preprocessors = [
    Restore,
    OverwriteKernelspec,
    OverwriteCells,
    CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    Seal,
    RunInSandbox,
    SavePoints,
    CheckCellMetadata,
]

c.GenerateFeedback.preprocessors = [NameProblems, HideTests]
c.GenerateFeedback.exporter_class = Page
c.Page.template_name = "page"
c.Page.extra_template_paths = INCLUDED

c.HTMLExporter.extra_template_basedirs = [*TEMPLATES, INCLUDED[0]]  # of the formgrader too
c.HTMLExporter.filters = {
    "mathjax": "coursework.grading.mathematics.script",
    "counted": "coursework.words.counted",
}
