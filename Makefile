# Nothing but Python 3.11 to 3.13, git and make is needed: the first target that wants .venv builds it (vampkit/bootstrap.py).
PYTHON ?= python3
BIN := .venv/bin
# glibc gives every freed array back to the kernel and fetches its pages anew for the next layer; kept, a take is a tenth faster. Others ignore it.
export MALLOC_TRIM_THRESHOLD_ := 1000000000
export MALLOC_MMAP_THRESHOLD_ := 1000000000
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout 120 --nbval-sanitize-with tests/nbval.cfg

.PHONY: help demo lab test handouts course slides fuzz browser extras bench lint types docs site site-check dist outputs clean

help:
	@echo "make demo    vamp on a bundled clip six ways; sounds and a picture land in demo/"
	@echo "make lab     open the notebooks in JupyterLab"
	@echo "make test    all tests, notebooks included"
	@echo "make handouts  homework and projects for students, solutions and autograders in build/course"
	@echo "make course  homework and projects for students in build/course, graded in a sandbox; needs bubblewrap"
	@echo "make slides  a deck a notebook in build/slides; needs npm once"
	@echo "make fuzz    random and mutated inputs, for 20 minutes; five verbs killed ten times each"
	@echo "make browser the widgets in a real JupyterLab; needs Chromium"
	@echo "make extras  tests of optional extras; needs a SoundFont (Debian: timgm6mb-soundfont)"
	@echo "make bench   benchmarks"
	@echo "make lint    ruff over code and notebooks, the layers, the docstrings of public names"
	@echo "make types   mypy over the core"
	@echo "make docs    API pages in build/docs"
	@echo "make site    notebooks, texts and API as a site in build/site"
	@echo "make site-check  the site, and every page of it in a browser; needs Chromium"
	@echo "make dist    wheel and sdist in dist/, checked"
	@echo "make outputs  run the notebooks (or NOTEBOOK=...) and save them with their outputs"
	@echo "make clean   remove what the other targets wrote (not .venv)"

# Only a finished installation leaves the stamp, so that an interrupted one goes on at the next call.
.venv/.done: pyproject.toml constraints.txt vampkit/bootstrap.py
	$(PYTHON) -I vampkit/bootstrap.py

demo: .venv/.done
	$(BIN)/vampkit demo

lab: .venv/.done
	$(BIN)/vampkit lab

test: .venv/.done
	$(BIN)/python -m pytest $(NBVAL) tests notebooks

handouts: .venv/.done
	$(BIN)/python -c "import otter" || $(BIN)/python -m pip install -c constraints.txt -e ".[grading]"
	$(BIN)/python .ci/course.py build/course

course: handouts
	$(BIN)/python -m pytest -m course tests/course

slides: .venv/.done
	$(BIN)/python .ci/slides.py build/slides

# Seven tests share the time; then each of five verbs is killed ten times.
FUZZ_SECONDS ?= 170
fuzz: .venv/.done
	VAMPKIT_FUZZ=$(FUZZ_SECONDS) $(BIN)/python -m pytest -q tests/hostile/test_fuzz.py tests/hostile/test_kills.py

browser: .venv/.done
	$(BIN)/python -c "import notebook, playwright" || $(BIN)/python -m pip install -c constraints.txt -e ".[browser]"
	$(BIN)/python -m pytest -m browser tests/browser

bench: .venv/.done
	$(BIN)/python -m tests.bench.bench_codec && $(BIN)/python -m tests.bench.bench_models && $(BIN)/python -m tests.bench.bench_resume && $(BIN)/python -m tests.bench.bench_music && $(BIN)/python -m tests.bench.bench_speed

extras: .venv/.done
	$(BIN)/python -c "import symusic, tensorboard" || $(BIN)/python -m pip install -c constraints.txt -e ".[soundfont,tensorboard]"
	$(BIN)/python -m pytest tests/music/test_music.py tests/train/test_scale.py -k "soundfont or tensorboard"

lint: .venv/.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check vampkit tests .ci notebooks/conftest.py
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_docstrings.py

types: .venv/.done
	$(BIN)/mypy

docs: .venv/.done
	$(BIN)/python .ci/docs.py build/docs

site: .venv/.done
	$(BIN)/python -c "import axe_playwright_python, sphinx_book_theme" || $(BIN)/python -m pip install -c constraints.txt -e ".[site]"
	$(BIN)/python .ci/site.py build/site

site-check: site
	$(BIN)/python -m pytest -q -m site tests/site

dist: .venv/.done
	$(BIN)/python -c "import build, hatchling, twine" || $(BIN)/python -m pip install -c constraints.txt -e ".[dist]"
	$(BIN)/python .ci/dist.py

# Not in JupyterLab: there figures leave their PNG to plotly, and the state of widgets is saved.
NOTEBOOK ?= notebooks/*.ipynb
outputs: .venv/.done
	$(BIN)/python -m tests.outputs $(NOTEBOOK)

clean:
	rm -rf demo build dist .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path "./.venv/*" -prune -exec rm -rf {} +
