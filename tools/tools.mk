# The tools, pinned. Each version has a folder of its own below .cache/bin, so that a change here
# installs the new one and leaves nothing stale in the way. Paths are relative: make cannot build a target
# whose path has a space.

GOLANGCI_LINT_VERSION := v2.15.0
ACTIONLINT_VERSION    := v1.7.12
GOVULNCHECK_VERSION   := v1.9.0
OAPI_CODEGEN_VERSION  := v2.8.2
OASDIFF_VERSION       := v1.37.0
GREMLINS_VERSION      := v0.6.0

BIN           := .cache/bin
GOLANGCI_LINT := $(BIN)/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint
ACTIONLINT    := $(BIN)/actionlint-$(ACTIONLINT_VERSION)/actionlint
GOVULNCHECK   := $(BIN)/govulncheck-$(GOVULNCHECK_VERSION)/govulncheck
OAPI_CODEGEN  := $(BIN)/oapi-codegen-$(OAPI_CODEGEN_VERSION)/oapi-codegen
OASDIFF       := $(BIN)/oasdiff-$(OASDIFF_VERSION)/oasdiff
GREMLINS      := $(BIN)/gremlins-$(GREMLINS_VERSION)/gremlins
NODE_TOOLS    := .cache/openapi-tools
CHROMIUM      := .cache/chromium/.complete
REDOCLY       := $(NODE_TOOLS)/node_modules/.bin/redocly
VENV          := .cache/venv
VENV_CHECKOV  := .cache/venv-checkov
VENV_FUZZ     := .cache/venv-schemathesis

$(GOLANGCI_LINT): MODULE := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
$(ACTIONLINT):    MODULE := github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION)
$(GOVULNCHECK):   MODULE := golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)
$(OAPI_CODEGEN):  MODULE := github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@$(OAPI_CODEGEN_VERSION)
$(OASDIFF):       MODULE := github.com/oasdiff/oasdiff@$(OASDIFF_VERSION)
$(GREMLINS):      MODULE := github.com/go-gremlins/gremlins/cmd/gremlins@$(GREMLINS_VERSION)

# A tool runs here, whatever target or flags the caller has exported.
$(GOLANGCI_LINT) $(ACTIONLINT) $(GOVULNCHECK) $(OAPI_CODEGEN) $(OASDIFF) $(GREMLINS): | need-go
	@echo "installing $(MODULE)"
	@GOOS= GOARCH= GOFLAGS=-buildvcs=false GOBIN="$$PWD/$(@D)" go install $(MODULE)

# pip installs exactly what a list names, each file by its hash, and builds nothing: no code of a package runs during
# the install. A list is compiled from its .in file, in tools/, by the command at its top.
$(VENV)/.complete:         tools/requirements.txt
$(VENV_CHECKOV)/.complete: tools/requirements-checkov.txt
$(VENV_FUZZ)/.complete:    tools/requirements-schemathesis.txt

# For a target that can do without.
VENV_IS_POSSIBLE = python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null

# The stamp is written last: an interrupted install starts again, and so does one whose list changed.
$(VENV)/.complete $(VENV_CHECKOV)/.complete $(VENV_FUZZ)/.complete:
	@command -v python3 >/dev/null || { echo "python3 is missing: the SAM CLI and its checks need Python 3.11 or newer." >&2; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$(python3 --version) is too old: the SAM CLI and its checks need Python 3.11 or newer." >&2; exit 1; }
	@echo "installing $< into $(@D)"
	@python3 -m venv $(@D) || { echo "python3 cannot make a virtual environment (on Debian: apt-get install python3-venv)." >&2; exit 1; }
	@PIP_CACHE_DIR="$$PWD/.cache/pip" PIP_DISABLE_PIP_VERSION_CHECK=1 $(@D)/bin/pip install --quiet --require-hashes --only-binary :all: --no-deps --requirement $<
	@$(@D)/bin/pip check --quiet
	@touch $@

# npm installs exactly what the lock file names, each package by its hash, and runs no code of a package.
$(NODE_TOOLS)/.complete: tools/openapi/node/package.json tools/openapi/node/package-lock.json
	@command -v npm >/dev/null || { echo 'npm is missing: the tools for openapi.yaml need Node.js 20.19 or newer.' >&2; exit 1; }
	@echo "installing the tools for openapi.yaml into $(@D)"
	@mkdir -p $(@D) && cp $^ $(@D)/
	@cd $(@D) && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

# The package unpacks Chromium for Linux on x86-64 into the folder for temporary files, and its libraries where it takes
# the machine for Lambda.
$(CHROMIUM): $(NODE_TOOLS)/.complete
	@echo "unpacking Chromium into $(@D)"
	@rm -rf $(@D) && mkdir -p $(@D)
	@cd $(NODE_TOOLS) && TMPDIR="$(CURDIR)/$(@D)" AWS_EXECUTION_ENV=AWS_Lambda_nodejs22.x \
		node --input-type=module --eval 'import chromium from "@sparticuz/chromium"; await chromium.executablePath()'
	@sed -i -e 's|<dir>/tmp/fonts</dir>|<dir prefix="relative">.</dir>|' -e '/cachedir/d' $(@D)/fonts/fonts.conf # where it is on Lambda
	@touch $@
