# Everything here is a thin name for a command in CONTRIBUTING.md, where the plain form stands too.
.DEFAULT_GOAL := help
.PHONY: help env book pdf epub links site-report test test-fast bench evidence lab edit serve notebooks notebooks-plain clean
.PHONY: course assignment release deadline collect grade formgrader feedback gradebook course-test quiz slides

# The first of these that is new enough; otherwise bootstrap.py says what is wrong.
CANDIDATES := python3.13 python3.12 python3.11 python3 python
NEW_ENOUGH := -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for p in $(CANDIDATES); do \
  $$p $(NEW_ENOUGH) >/dev/null 2>&1 && echo $$p && exit; done; echo python3)
IN_ENV := $(if $(filter Windows_NT,$(OS)),.venv/Scripts/python.exe,.venv/bin/python)

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

env:
	@python='$(PYTHON)'; command -v "$$python" >/dev/null 2>&1 || { \
	  echo "There is no program \`$$python\`: install Python 3.11 or newer, or name yours, as in \`make PYTHON=/path/to/python book\`." >&2; exit 1; }; \
	"$$python" bootstrap.py

book: env ## build the website into _build/html (installs what it needs, once)
	@$(IN_ENV) site/build.py

pdf: book ## make the whole book a PDF, with Chromium; the website links it then
	@$(IN_ENV) site/printed.py

epub: book ## make the whole book an EPUB for e-readers; the website links it then
	@$(IN_ENV) site/epub_book.py

links: env ## ask other hosts whether the addresses in the book still lead somewhere
	@$(IN_ENV) site/run_sphinx.py linkcheck

site-report: book ## weigh the pages: bytes, requests and time of the first view (needs Chromium)
	@$(IN_ENV) site/report.py

test: env ## run every check: chapters, tests, lint, the site
	@$(IN_ENV) -m pytest

test-fast: env ## run the quick checks: lint and the library's tests; no chapters, no site
	@$(IN_ENV) -m pytest tests -m 'not slow'

bench: env ## compare speed with optional peers: medians and ratios
	@$(IN_ENV) -m benchmarks.run

evidence: env ## measure again what is missing or stale in evidence/: make evidence ONLY=name
	@$(IN_ENV) -m evidence make $(ONLY)

lab: env ## open your desk in JupyterLab: make lab, make lab FILE=path, make lab AGAIN=1
	@$(IN_ENV) site/desk.py $(if $(FILE),"$$FILE") $(if $(AGAIN),--again $(AGAIN))

edit: env ## open the sources of the chapters in JupyterLab, for those who write them
	@$(IN_ENV) -m jupyterlab chapters

serve: book ## show the website on http://127.0.0.1:8000
	@$(IN_ENV) -m http.server 8000 --bind 127.0.0.1 --directory _build/html

notebooks: env ## run all chapters again and keep the new outputs, two at a time
	@printf '%s\0' chapters/*.ipynb | xargs -0 -n 1 -P 2 $(IN_ENV) -m nbconvert --to notebook \
	  --execute --inplace --ExecutePreprocessor.record_timing=False --log-level=WARN
	@$(IN_ENV) site/figures.py

notebooks-plain: env ## make the reader's notebooks, which need no extension, in _build/notebooks
	@$(IN_ENV) site/notebooks.py

course: env ## look whether this machine can grade submissions
	@$(IN_ENV) -m coursework prepare

assignment: env ## begin an assignment of your own: make assignment A=hw1
	@$(IN_ENV) -m coursework assignment '$(A)'

release: env ## make the students' version of an assignment: make release A=a1
	@$(IN_ENV) -m coursework release '$(A)'

deadline: env ## set a deadline: make deadline A=a1 DUE='2026-10-09 18:00', for one student WHO=ID
	@$(IN_ENV) -m coursework deadline '$(A)'

collect: env ## sort what was handed in by student: make collect A=a1
	@$(IN_ENV) -m coursework collect '$(A)'

grade: env ## run what was handed in, in a sandbox, and test it: make grade A=a1, WHO=ID
	@$(IN_ENV) -m coursework grade '$(A)'

formgrader: env ## read written answers and give them points, in the browser
	@$(IN_ENV) -m coursework formgrader

feedback: env ## write a page for each student: make feedback A=a1
	@$(IN_ENV) -m coursework feedback '$(A)'

gradebook: env ## write all points to coursework/grades.csv; for an LMS: LMS=canvas, LMS=moodle
	@$(IN_ENV) -m coursework gradebook

quiz: env ## write the quick questions as files for an LMS
	@$(IN_ENV) -m coursework quiz

slides: env ## write a deck of slides for each week into coursework/slides
	@$(IN_ENV) -m coursework slides

course-test: env ## grade a class of made-up students and print what each got
	@$(IN_ENV) -m coursework test

clean: ## delete the website and the private environment
	@rm -rf _build .venv *.egg-info
