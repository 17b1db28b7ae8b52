# make demo    trains on the CO2 record and compares with naive forecasts     (needs python3 and cc)
# make test    all tests, of the installed package and of the C core without Python
# make dev     for working on seqrnn: editable install in .venv-dev; again after a change in csrc/
#
# Environments are made once, and again when the files they depend on change (the stamp files).

PYTHON ?= python3
CC ?= cc
PYTEST_ARGS ?=

VENV := .venv
DEV := .venv-dev
SAN := .venv-sanitize
WHEEL := .venv-wheel
SANITIZE := address,undefined
# The leak check would report CPython's own allocations; the C tests do look for leaks.
# Freed blocks are kept back for a short while only, since tests look at the memory in use.
SAN_ENV := ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=8 UBSAN_OPTIONS=print_stacktrace=1
# libstdc++ comes along because AddressSanitizer looks for its functions when the process starts, and
# matplotlib throws.
SAN_LIBRARIES = $$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libstdc++.so.6)

PIP := -m pip install --quiet --disable-pip-version-check
# Read from pyproject.toml, where they are stated.
list = $$(sed -n 's/^$(1) = \[\(.*\)\]/\1/p' pyproject.toml | tr -d '",')
BUILD_TOOLS := $(call list,requires)
C_FILES := $(shell find csrc -name '*.[ch]')
PACKAGE_FILES := pyproject.toml setup.py $(C_FILES) $(shell find seqrnn -name '*.py' -o -name '*.csv' 2>/dev/null)

.PHONY: demo test round-trips pytest pytest-kernels dev dev-test ctest ctest-build c-runners ctest-kernels \
    ctest-sanitize ctest-tsan test-sanitize lint format wheel-test clean

# ---- for users ----

demo: $(VENV)/installed
	@mkdir -p build/run
	cd build/run && $(CURDIR)/$(VENV)/bin/python -m seqrnn.demo --picture $(CURDIR)/co2_forecast.png

test: ctest pytest

# From another directory, so that the installed package is tested and not the source tree.
pytest: $(VENV)/installed
	@mkdir -p build/run
	cd build/run && $(CURDIR)/$(VENV)/bin/pytest -c $(CURDIR)/pyproject.toml --rootdir $(CURDIR) \
	    $(CURDIR)/tests $(PYTEST_ARGS)

# With every set of kernels that this processor has.
pytest-kernels: $(VENV)/installed ctest-build
	@bash .ci/each_kernel_set $(WHICH_KERNELS) $(MAKE) --no-print-directory pytest

$(VENV)/tools: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python $(PIP) $(BUILD_TOOLS)
	touch $@

$(VENV)/installed: $(VENV)/tools $(PACKAGE_FILES)
	rm -rf build/lib*
	$(VENV)/bin/python $(PIP) --no-build-isolation ".[test,plot]"
	touch $@

# ---- for developers ----

# Only what has changed is compiled.
dev: $(DEV)/installed
	$(DEV)/bin/python setup.py --quiet build_ext --inplace

dev-test: dev
	$(DEV)/bin/pytest $(PYTEST_ARGS)

$(DEV)/installed: pyproject.toml setup.py
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/python $(PIP) $(BUILD_TOOLS)
	$(DEV)/bin/python $(PIP) --no-build-isolation -e ".[test,plot,dev]"
	touch $@

lint: $(DEV)/lint-tools
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	find csrc tests/c -name '*.[ch]' | xargs -r $(DEV)/bin/clang-format --dry-run -Werror

format: $(DEV)/lint-tools
	$(DEV)/bin/ruff check --fix .
	$(DEV)/bin/ruff format .
	find csrc tests/c -name '*.[ch]' | xargs -r $(DEV)/bin/clang-format -i

# docs/conformance*, docs/api: from the golden table and from the signatures of Keras.
tables: dev
	$(DEV)/bin/python tests/golden/conformance.py
	$(DEV)/bin/python tests/api/api_table.py

# Files exchanged with real Keras, both ways: make round-trips KERAS_PYTHON=peers/bin/python
round-trips: dev
	SEQRNN_KERAS_PYTHON=$(KERAS_PYTHON) $(DEV)/bin/pytest tests/golden/test_round_trips.py \
	    tests/test_tensorboard.py $(PYTEST_ARGS)

# Needs no built extension, so that lint works on a tree that does not compile.
$(DEV)/lint-tools: pyproject.toml
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/python $(PIP) $(call list,dev)
	touch $@

# ---- the C core without Python: one runner per tests/c/test_*.c ----

BASE_FLAGS := -std=c11 -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math \
    -fvisibility=hidden -D_GNU_SOURCE -pthread
STRICT_FLAGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
    -Wvla -Wundef -Werror
# plain, sanitize or tsan
FLAVOUR ?= plain
# One of them: make ctest C_TESTS=test_gemm
C_TESTS ?= test_*
FLAGS_sanitize := -O1 -g -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_tsan := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
# Warnings are errors in CI only: the next compiler has new ones.
C_FLAGS := $(BASE_FLAGS) $(filter-out $(if $(SEQRNN_WERROR),,-Werror),$(STRICT_FLAGS)) $(FLAGS_$(FLAVOUR))
C_OUT := build/ctest/$(FLAVOUR)
CORE_OBJECTS := $(patsubst %.c,$(C_OUT)/%.o,$(filter-out csrc/py/%,$(filter %.c,$(C_FILES))))
C_RUNNERS := $(patsubst %.c,$(C_OUT)/%,$(wildcard tests/c/$(C_TESTS).c))
# Expanded when a recipe runs, so when the environment exists.
BLAS_DIR = $(shell $(VENV)/bin/python -c "import scipy_openblas32 as b; print(b.__path__[0])")
WHICH_KERNELS := $(C_OUT)/tests/c/which_kernels

ctest: ctest-build
	@bash .ci/run_ctests $(C_RUNNERS)

# With every set of kernels that this processor has.
ctest-kernels: ctest-build
	@bash .ci/each_kernel_set $(WHICH_KERNELS) bash .ci/run_ctests $(C_RUNNERS)

ctest-sanitize:
	@$(MAKE) --no-print-directory ctest-kernels FLAVOUR=sanitize

# Data races. More threads than cores, so that they get in each other's way.
ctest-tsan:
	@OMP_NUM_THREADS=4 $(MAKE) --no-print-directory ctest FLAVOUR=tsan

# Two builds in one tree wait for each other, where flock exists.
ctest-build: $(VENV)/tools
	@mkdir -p build
	@$(if $(shell command -v flock),flock build/ctest-lock) $(MAKE) --no-print-directory -j2 c-runners \
	    FLAVOUR=$(FLAVOUR) BLAS=$(BLAS_DIR)

.SECONDARY:
c-runners: $(C_RUNNERS) $(WHICH_KERNELS)

# An archive, so that a test links only what it needs.
$(C_OUT)/core.a: $(CORE_OBJECTS)
	@rm -f $@
	@$(AR) rcs $@ $^

$(C_OUT)/tests/c/%: $(C_OUT)/tests/c/%.o $(C_OUT)/core.a
	@echo "linking $(@F)"
	@$(CC) $(C_FLAGS) $^ -L$(BLAS)/lib -lscipy_openblas -Wl,-rpath,$(BLAS)/lib -lm -o $@

$(C_OUT)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "compiling $<"
	@$(CC) $(C_FLAGS) -Icsrc -I. -isystem $(BLAS)/include -DSRN_BLAS_PREFIX=scipy_ -MMD -c $< -o $@

-include $(CORE_OBJECTS:.o=.d) $(C_RUNNERS:=.d)

# ---- what CI does besides ----

# The whole Python suite with the extension under sanitizers.
test-sanitize: $(SAN)/installed
	@mkdir -p build/run
	cd build/run && $(SAN_ENV) LD_PRELOAD="$(SAN_LIBRARIES)" \
	    $(CURDIR)/$(SAN)/bin/pytest -c $(CURDIR)/pyproject.toml --rootdir $(CURDIR) \
	    $(CURDIR)/tests -p no:cacheprovider $(PYTEST_ARGS)

$(SAN)/installed: $(PACKAGE_FILES)
	$(PYTHON) -m venv $(SAN)
	$(SAN)/bin/python $(PIP) $(BUILD_TOOLS)
	rm -rf build/lib*
	SEQRNN_SANITIZE=$(SANITIZE) $(SAN)/bin/python $(PIP) --no-build-isolation ".[test,plot]"
	touch $@

# A wheel must work where there is neither a compiler nor the source tree.
wheel-test: $(VENV)/tools
	rm -rf build/lib* build/wheel $(WHEEL)
	$(VENV)/bin/python -m pip wheel --quiet --no-build-isolation --no-deps -w build/wheel .
	$(PYTHON) -m venv $(WHEEL)
	CC=/bin/false $(WHEEL)/bin/python $(PIP) build/wheel/seqrnn-*.whl
	bash .ci/check_wheel build/wheel $(WHEEL)/bin/python

clean:
	rm -rf build dist *.egg-info $(VENV) $(DEV) $(SAN) $(WHEEL) co2_forecast.png
