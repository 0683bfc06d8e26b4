# The two commands: make run, make test. Needs Python >= 3.11 and make.
PYTHON ?= python3
EXTRAS ?= dev
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready-$(EXTRAS)
ASSETS := web/build/manifest.json

.PHONY: run test check format bench shots licences sbom wheel clean

# Without a front end the bot still works in chat, and its pages say what is missing.
run: $(STAMP)
	@$(MAKE) --no-print-directory $(ASSETS) || echo '网页的脚本和样式没有构建成功，机器人照常启动。'
	$(BIN)/python run_bot.py

test: check $(ASSETS)
	$(BIN)/pytest -n auto

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)
	$(BIN)/python -m benchmarks

shots: $(STAMP) $(ASSETS)
	$(BIN)/python -m tests.scenarios.shots

# Every extra, so that the lists have all that anybody can install.
licences sbom:
	@$(MAKE) --no-print-directory EXTRAS=dev,asr,ocr .venv/.ready-dev,asr,ocr
	$(BIN)/python -m deploy $@

wheel: $(STAMP) $(ASSETS)
	$(BIN)/python -m deploy wheel

$(ASSETS): web/package.json web/package-lock.json web/build.mjs web/set_up.sh $(wildcard web/src/* web/src/*/*) | $(STAMP)
	web/set_up.sh "$(abspath $(BIN)/python)"

$(STAMP): pyproject.toml deploy/constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Gendan needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c deploy/constraints.txt -e '.[$(EXTRAS)]'
	touch $@

clean:
	rm -rf $(VENV) web/build web/node_modules web/shots .mypy_cache .ruff_cache .pytest_cache build dist *.egg-info
