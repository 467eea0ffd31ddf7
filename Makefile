# The course's commands. `make` lists them. Another Python than python3: make lab PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin
# A user's own Jupyter settings, packages and interpreter paths stay out of the course, and it out of theirs.
export JUPYTER_CONFIG_DIR := $(CURDIR)/.venv/etc/jupyter-user
export JUPYTER_PREFER_ENV_PATH := 1
# Threads that spin while they wait take the processors from each other (vaeedu/environment.py).
export OMP_WAIT_POLICY := passive
# With PYTHONDONTWRITEBYTECODE each test session, and each program that one starts, would compile the course anew.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE
# All tests are shared by two workers. A few of them one process has done sooner: it starts and collects once.
WORKERS ?= $(if $(PYTEST_ARGS),,2)
PYTEST = $(BIN)/python -m pytest$(if $(WORKERS), -n $(WORKERS) --dist loadscope --no-loadscope-reorder)

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-14s %s\n", $$1, $$2 }'

lab: course ## open the course in JupyterLab; LAB_ARGS="--no-browser --port=8899" is passed on
	$(BIN)/vaeedu lab $(LAB_ARGS)

test: dev ## run the fast tests; one topic: PYTEST_ARGS="-k pca" or PYTEST_ARGS=tests/pca
	$(PYTEST) $(PYTEST_ARGS)

test-all: dev ## run every test, also the slow ones (each lecture from a clean kernel)
	$(PYTEST) -m "" $(PYTEST_ARGS)

check: course ## try an assignment's visible tests before handing it in; A=03 says which
	@$(BIN)/vaeedu check "$(A)"

release: course ## make assignments/ from solutions/ and exercises/, and README's table
	$(BIN)/vaeedu release

new-assignment: course ## lay out the files of a new assignment: N=12 NAME=sequences_and_molecules
	@$(BIN)/vaeedu new-assignment "$(N)" "$(NAME)"

demo-class: course ## grade a demo class in classroom/ and compare its marks with those expected
	$(BIN)/vaeedu demo-class

student-bundle: course ## make dist/vaeedu-course.zip, which students receive
	$(BIN)/vaeedu student-bundle

site: dev ## make the course's site in build/site, for who only has a browser; it needs npm
	@$(BIN)/python tools/build_site.py $(SITE_ARGS)

slides: dev ## make slides of the lectures in build/slides, with what is said in the notes
	@$(BIN)/python tools/build_slides.py $(SITE_ARGS)

bench: course ## run every benchmark; benchmarks/results/ holds what they print
	for script in benchmarks/*.py; do $(BIN)/python "$$script" || exit 1; done

gpu-check: dev ## test and measure on a GPU, if any; GPU_ARGS="--seconds 300" is passed on
	$(BIN)/python tools/gpu_check.py $(GPU_ARGS)

lint: dev ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: dev ## put the code in the course's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lowest: dev ## test with the oldest packages admitted; LOWEST_ARGS=tests/pca for others
	$(BIN)/python tools/lowest.py $(LOWEST_ARGS)

lock: dev ## make uv.lock anew from constraints.txt
	$(BIN)/python tools/lock.py

clean: ## remove .venv and caches (never classroom/)
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -path ./classroom -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -exec rm -rf {} +

course:
	@"$(PYTHON)" tools/setup_env.py

dev:
	@"$(PYTHON)" tools/setup_env.py --dev

.PHONY: help lab test test-all check release new-assignment demo-class student-bundle site slides bench gpu-check lint format lowest lock clean course dev
