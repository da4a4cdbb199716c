"""The course's settings; nbgrader reads them in this folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from nbgrader.preprocessors import (  # noqa: E402
    AssignLatePenalties,
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    GetGrades,
    LockCells,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
    SaveCells,
)

from coursework.grading.collecting import Newest, Notebooks  # noqa: E402
from coursework.grading.feedback import HideTests  # noqa: E402
from coursework.grading.grades import ByStudent  # noqa: E402
from coursework.grading.reading import AnyFile  # noqa: E402
from coursework.grading.release import SetTerm  # noqa: E402
from coursework.grading.restore import Restore  # noqa: E402
from coursework.grading.run import RunInSandbox  # noqa: E402

TERM = 0  # next term another number: it seeds the notebooks and all hidden cases

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "seqdec"
c.SetTerm.term = c.RunInSandbox.term = TERM

c.GenerateAssignment.preprocessors = [
    SetTerm,
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    SaveCells,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
]
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError"}

c.ZipCollectApp.extractor_plugin = Notebooks
c.ZipCollectApp.collector_plugin = Newest

c.Autograde.exporter_class = AnyFile
c.Autograde.sanitize_preprocessors = [
    Restore,
    OverwriteKernelspec,
    OverwriteCells,
    CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    RunInSandbox,
    SaveAutoGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]

c.GenerateFeedback.preprocessors = [GetGrades, HideTests]
c.ExportApp.plugin_class = ByStudent
