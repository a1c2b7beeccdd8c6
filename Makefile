# Tienda. `make help` lists the targets; CI calls the same ones (.ci/run, .github/workflows/ci.yml).
# Whatever a target installs goes into .cache/.

SHELL         := bash
.SHELLFLAGS   := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

include tools/tools.mk

# Lambda's architecture: arm64, amd64 or x86_64. The default is the template's.
ARCH ?= arm64
# Where `make run` listens.
PORT ?= 3000
# A folder that keeps the local tables. Empty keeps them in memory.
DATA ?=
# A DynamoDB Local that runs already. Empty starts one.
DYNAMODB_ENDPOINT ?=
# 1 builds and serves each change of the sources while `make run` runs.
WATCH ?=
# `json` prints the functions' lines of `make run` as they are; `off` serves it without throttles.
LOGS ?=
THROTTLE ?=
# `off` serves it without the rate limits of the functions.
LIMITS ?=
# 1 starts Jaeger with `make observe`.
JAEGER ?=
# The role in the token that `make token` prints.
ROLE ?= catalog
# Whom `make admin` makes an admin. Only the command line says it: many shells hold an EMAIL of their own.
EMAIL :=
# What `make keys` does, to which secret, with which algorithm or to which key; FORCE=1 does not wait, and
# only the command line says so.
STEP   ?= show
SECRET ?= TokenKeysSecret
ALG    ?=
KID    ?=
FORCE  :=
# The route that `make route` writes, whether it is required or public, and its class of rate limits; an empty one
# follows from METHOD and AUTH. The command line says what.
NAME     :=
RESOURCE :=
METHOD   :=
ROUTE    :=
AUTH     := required
RATE     :=
# The commit or branch that `make openapi-diff` compares with. Only the command line says it; an empty one is where the
# branch began.
BASE :=
# What `make test-conditions` takes out: the conditions whose file or text contains it. What `make bench` measures: binaries and
# modes, with commas. Empty is all of them.
ONLY ?=
# 1 makes a short run of `make bench`, with rough numbers, or of `make load`. The results of such a run, and of one of
# `make bench` with ONLY, go into .cache/.
QUICK ?=
# 1 ends `make bench` with an error if a goal is not met.
GATES ?=
# How long `make fuzz-smoke` feeds each fuzz target.
FUZZTIME ?= 1s

# What `make deploy` deploys to: dev, staging or prod.
STAGE ?=
STAGES := dev staging prod
# Their environments in samconfig.toml. `default` is what the SAM CLI takes when it is told none.
CONFIG_ENVS = $(patsubst dev,default,$(STAGES))
CONFIG_ENV  = $(patsubst dev,default,$(STAGE))
# Reads the stage's parameters and the digest of all values into the array `overrides`. (The bash of macOS has
# no mapfile.)
OVERRIDES   = text=$$($(VENV)/bin/python tools/translate --overrides $(CONFIG_ENV)); overrides=(); \
	while IFS= read -r line; do overrides+=("$$line"); done <<<"$$text"
# The S3 bucket that `make package` uploads to.
BUCKET ?=

# The image of `sam local`: public, stand-in, or empty for whichever is at hand.
IMAGE ?=
# The queue of `make redrive`.
QUEUE ?=
# What `make invoke` invokes, and with which event. An empty event is the function's own.
FN ?=
EVENT ?=

# What a person types goes to the commands as it is, by the environment: neither make nor the shell finds
# a variable or a command in it.
TYPED := NAME RESOURCE METHOD ROUTE AUTH RATE QUEUE PORT DATA DYNAMODB_ENDPOINT WATCH LOGS THROTTLE LIMITS JAEGER ROLE EMAIL STEP SECRET ALG KID FORCE IMAGE STAGE BUCKET FN EVENT ARCH FUZZTIME BASE ONLY QUICK GATES
$(foreach name,$(TYPED),$(eval override $(name) := $$(value $(name))))
export $(TYPED)
export npm_config_cache := $(CURDIR)/.cache/npm
export GOLANGCI_LINT_CACHE := $(CURDIR)/.cache/golangci-lint
# A go.work in a folder above would choose other modules.
export GOWORK := off
# As the functions are built, so that tests and other clones compile no package again.
export CGO_ENABLED := 0
GOFLAGS := $(filter-out -trimpath,$(GOFLAGS)) -trimpath
export GOFLAGS

# Packages whose tests need nothing but Go.
UNIT = $$(go list ./... | grep -v '/tests/')
# Packages with tests that need a DynamoDB engine carry the build tag `integration`.
INTEGRATION = $$(grep -rl --include='*_test.go' '^//go:build integration' shared functions internal local tests | xargs -n1 dirname | sort -u | sed 's|^|./|')
# Packages with benchmarks.
BENCHMARKS = $$(grep -rlE --include='*_test.go' '^func Benchmark' shared functions internal authorizer local tests | xargs -n1 dirname | sort -u | sed 's|^|./|')
# Builds and lays functions. Its own flags are theirs, so that the standard library is compiled once.
LAY = GOOS= GOARCH= go run ./tools/lay
# The command that runs the API on this machine, built with the functions' flags: what both use is compiled once.
LOCAL = $(LAY) -program ./local -out .cache/bin/local && .cache/bin/local
# The SAM CLI, without sending usage data.
SAM = SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam
# Drives the SAM CLI in containers.
SAM_LOCAL = .cache/bin/local sam
# Go modules of their own: those that prove how the library is used from outside, those with dependencies that nothing
# else needs, and what the bench compares with.
MODULES = $(patsubst %/go.mod,%,$(wildcard tests/*/go.mod)) $(PEERS)
PEERS   = tests/bench/peers

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^##@ /{printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "Variables: ARCH=$$ARCH PORT=$$PORT DATA=folder DYNAMODB_ENDPOINT=url WATCH=1 LOGS=json THROTTLE=off LIMITS=off JAEGER=1 ROLE=$$ROLE STAGE=dev|staging|prod BUCKET=name FUZZTIME=$$FUZZTIME"
	@echo "           IMAGE=public|stand-in FN=function EVENT=file EMAIL=address STEP=$$STEP SECRET=$$SECRET ALG=name KID=id FORCE=1"
	@echo "           NAME=operation RESOURCE=folder METHOD=method ROUTE=path AUTH=required|public RATE=class BASE=commit QUEUE=name ONLY=text QUICK=1 GATES=1"

##@ Use

.PHONY: run
run: need-go ## Build for this machine and serve the API with sample data on PORT (WATCH=1 follows changes)
	@echo 'Building for this machine: only what changed since the last time.'
	@$(LAY) -program ./local -out .cache/bin/local
	@exec .cache/bin/local

.PHONY: observe
observe: need-go ## Serve as `make run` does, beside a collector and Prometheus that receive its telemetry (JAEGER=1)
	@$(LAY) -program ./local -out .cache/bin/local
	@exec .cache/bin/local observe

.PHONY: collector
collector: need-go ## Build the OpenTelemetry collector of observability/builder.yaml into .cache/bin
	@$(LOCAL) tool collector

.PHONY: token
token: need-go ## Print an access token for local use (ROLE=catalog)
	@$(LOCAL) token -role "$$ROLE"

.PHONY: admin
admin: need-go ## Make an admin of who has registered at the API that runs on PORT (EMAIL=address)
	@$(LOCAL) admin -email "$$EMAIL"

.PHONY: keys
keys: need-go ## Make, show or rotate local token keys (STEP=show, add, promote, remove, revoke, public)
	@$(LOCAL) keys -secret "$$SECRET" -alg "$$ALG" -kid "$$KID" -force="$$([ "$$FORCE" = 1 ] && echo true || echo false)" "$$STEP"

.PHONY: route
route: need-go ## Write what a new route needs (NAME=count-products RESOURCE=catalog METHOD=GET ROUTE=/v1/products/count)
	@GOOS= GOARCH= go run ./tools/route -name "$$NAME" -resource "$$RESOURCE" -method "$$METHOD" -route "$$ROUTE" -auth "$$AUTH" -rate "$$RATE"
	@$(MAKE) --no-print-directory generate

.PHONY: generate
generate: need-go ## Write the code that is generated from other code
	@GOOS= GOARCH= go generate ./...
	@GOOS= GOARCH= go run -tags openapi ./tools/openapi

.PHONY: docs
docs: $(NODE_TOOLS)/.complete ## Write the page of the API into .cache/docs, for any web host
	@mkdir -p .cache/docs
	@cp tools/openapi/page/* $(NODE_TOOLS)/node_modules/swagger-ui-dist/swagger-ui.css $(NODE_TOOLS)/node_modules/swagger-ui-dist/swagger-ui-bundle.js .cache/docs/
	@gzip -dc functions/apidocs/openapi.json.gz >.cache/docs/openapi.json
	@echo 'The page is in .cache/docs: copy the folder to a web host, or look at it with: python3 -m http.server -d .cache/docs'

.PHONY: plot-ratelimit
plot-ratelimit: need-go ## Draw the plot of the rate limit algorithms in docs/images/
	@GOOS= GOARCH= go generate ./tools/ratelimitdocs

.PHONY: seed
seed: need-go ## Load the sample products into the API that runs on PORT
	@$(LOCAL) seed

.PHONY: demo
demo: need-go ## Walk one order through its life on the API that runs on PORT: quote, payment, parcel, refund
	@$(LOCAL) demo

.PHONY: reindex
reindex: need-go ## Let search find the products of an earlier release, in the API that runs on PORT
	@$(LOCAL) reindex

.PHONY: redrive
redrive: need-go ## Move the messages of a dead-letter queue back (QUEUE=name in the API that runs on PORT, QUEUE=arn on AWS)
	@$(LOCAL) redrive -queue "$$QUEUE"

.PHONY: build
build: need-go ## Compile every function for Lambda into dist/ (ARCH=arm64 or amd64)
	@$(LAY) -arch "$$ARCH"

.PHONY: dist-check
dist-check: need-go ## Refuse a dist/ that is missing, stale or built for another ARCH
	@$(LAY) -check -arch "$$ARCH"

.PHONY: deploy
deploy: need-stage need-go need-credentials sam-lint ## Build and deploy to AWS (STAGE=dev, staging or prod)
	@$(VENV)/bin/python tools/translate --out .cache/translated $(CONFIG_ENV)
	@$(MAKE) --no-print-directory build dist-check ARCH="$$($(VENV)/bin/python tools/translate --architecture .cache/translated/$(CONFIG_ENV).json)"
	@$(OVERRIDES); $(SAM) deploy --template-file template.yaml --config-env $(CONFIG_ENV) --parameter-overrides "$${overrides[@]}"

.PHONY: package
package: need-bucket need-go need-credentials ## Build and upload what every stage deploys to S3 (BUCKET=name)
	@$(MAKE) --no-print-directory build dist-check
	@$(SAM) package --template-file template.yaml --s3-bucket "$$BUCKET" --s3-prefix tienda --output-template-file .cache/packaged.yaml

.PHONY: promote
promote: need-stage need-credentials ## Deploy what `make package` uploaded, without building (STAGE=dev, staging or prod)
	@[ -f .cache/packaged.yaml ] || { echo 'There is no .cache/packaged.yaml: make package BUCKET=name writes it.' >&2; exit 1; }
	@$(OVERRIDES); $(SAM) deploy --template-file .cache/packaged.yaml --config-file "$$PWD/samconfig.toml" --config-env $(CONFIG_ENV) --no-confirm-changeset --parameter-overrides "$${overrides[@]}"

.PHONY: clean
clean: ## Remove everything that was built, fetched or generated
	@rm -rf .cache dist .aws-sam

##@ SAM

.PHONY: sam-api
sam-api: sam-cli ## Serve the API with sample data on PORT by `sam local start-api`
	@exec $(SAM_LOCAL) api

.PHONY: sam-env
sam-env: sam-cli ## Prepare and hold what a `sam local` command typed by hand needs
	@exec $(SAM_LOCAL) env

.PHONY: sam-build
sam-build: sam-cli ## Build again what `sam local` serves; it takes a change without a restart
	@exec $(SAM_LOCAL) build

.PHONY: invoke
invoke: sam-cli ## Invoke one function in a container (FN=GetProductFunction EVENT=events/get-product.json)
	@exec $(SAM_LOCAL) invoke "$$FN" $${EVENT:+"$$EVENT"}

.PHONY: invoke-all
invoke-all: sam-cli ## Invoke every function with its sample event and compare the answers with events/expected/
	@exec $(SAM_LOCAL) invoke-all

.PHONY: sam-image
sam-image: sam-cli ## Make the container image that needs no registry
	@exec $(SAM_LOCAL) image

.PHONY: venv
venv: $(VENV)/.complete ## Install the SAM CLI and its checks into .cache/venv/bin

.PHONY: sam-cli
sam-cli: need-go $(VENV)/.complete
	@$(LAY) -program ./local -out .cache/bin/local

##@ Test

.PHONY: test
test: ## Run every test (the unit tests once, under the race detector)
	@tools/each race contract integration load-smoke fuzz-smoke bench-smoke

.PHONY: unit
unit: need-go ## Run the unit tests, quickly
	go test $(UNIT)

.PHONY: race
race: need-go ## Run the unit tests under the race detector
	@if [ -n "$$(command -v "$$(go env CC)")" ] || [ "$$(go env GOOS)" = darwin ]; then \
		echo 'go test -race'; CGO_ENABLED=1 go test -race -timeout 15m $(UNIT); \
	elif [ -n "$${CI:-}" ]; then \
		echo 'No C compiler: the race detector needs one (on Debian: apt-get install gcc libc6-dev).' >&2; exit 1; \
	else \
		echo 'No C compiler: running the unit tests WITHOUT the race detector.' >&2; go test -timeout 15m $(UNIT); \
	fi

.PHONY: contract
contract: need-go ## Hold code, template, events, docs and binaries against each other
	@packages=$$(go list ./tests/contract/... ./tests/build/... ./tests/suite/... ./tests/sam/... ./tests/bench/... \
		./tests/exposition/... ./tests/otlptest/...); \
	if [ -n "$${CI:-}" ] || $(VENV_IS_POSSIBLE); then \
		$(MAKE) --silent $(VENV)/.complete; \
	else \
		echo 'No Python 3.11 with venv: running the contract tests WITHOUT those on the translated template.' >&2; \
		packages=$$(grep -v '/contract/translated$$' <<<"$$packages"); \
	fi; \
	echo 'go test' $${packages//github.com\/tienda-dev\/tienda/.}; go test -timeout 15m $$packages
	go test -count=1 ./tests/telemetry/... ./tests/fleet/... # they build what they test, and Go's cache of results does not see that
	go test -tags openapi ./tools/openapi/...
	@for module in $(filter-out $(PEERS),$(MODULES)); do echo "go test ./... in $$module"; (cd "$$module" && go test ./...); done
	cd $(PEERS) && go test -count=1 . # it builds what it tests, and Go's cache of results does not see that

.PHONY: integration
integration: need-go dynamodb-local ## Run every route and store on DynamoDB Local
	@$(LAY) -program ./local -out .cache/bin/local
	.cache/bin/local dynamodb -- go test -tags integration -count=1 -parallel 3 -timeout 25m $(INTEGRATION)

.PHONY: load
load: need-go dynamodb-local ## Drive the whole API at rising rates: limits exact, metrics equal to the client's counts, the bottleneck named (QUICK=1)
	cd tests/load && go test -tags load -count=1 -timeout 15m -run '^TestLoad$$'

.PHONY: load-smoke
load-smoke: need-go dynamodb-local ## Run the load test shortly, for what it counts and not for its times
	cd tests/load && QUICK=1 go test -tags load -count=1 -timeout 15m -run '^TestLoad$$'

.PHONY: test-observability
test-observability: need-go dynamodb-local collector ## Run the API beside the collector and Prometheus, and every rule and dashboard query
	@$(LOCAL) tool prometheus
	go test -tags observability -count=1 -timeout 20m ./tests/observability

.PHONY: test-long
test-long: need-go dynamodb-local collector ## The long variants: 400 buyers in a storm of faults, 50 equal requests at once, 200 instances with 50 requests each, five times
	@$(LAY) -program ./local -out .cache/bin/local
	STORM_BUYERS=400 .cache/bin/local dynamodb -- go test -tags integration -count=3 -timeout 60m -v -run InAStorm ./tests/integration
	REPEATED_AT_ONCE=50 .cache/bin/local dynamodb -- go test -tags integration -count=1 -timeout 30m -v -run '^TestSameRequestSameAnswer$$' ./tests/integration
	@$(LOCAL) tool prometheus
	go test -tags observability -count=5 -timeout 60m -v -run '^TestNothingIsLost$$' ./tests/observability

.PHONY: test-conditions
test-conditions: need-go dynamodb-local ## Take each condition out of the stores' writes, one at a time: a test must fail (ONLY=text)
	@$(LAY) -program ./local -out .cache/bin/local
	@.cache/bin/local dynamodb -- go run ./tools/conditions -only "$$ONLY"

.PHONY: test-mutations
test-mutations: need-go $(GREMLINS) ## Change the domain packages' code in small ways, and count the changes that no test notices
	@tools/mutations $(GREMLINS)

.PHONY: fuzz-smoke
fuzz-smoke: need-go ## Feed every fuzz target for FUZZTIME
	@tools/fuzz-smoke "$$FUZZTIME"

.PHONY: bench
bench: need-go ## Measure whole functions as processes beside their peers: one table of ratios, and plots (QUICK=1, GATES=1, ONLY=full,growth)
	@go run ./tests/bench/run $${QUICK:+-quick} $${GATES:+-gates} -only "$$ONLY" -out "$$([ -z "$$QUICK$$ONLY" ] || echo .cache/)tests/bench/results"

.PHONY: bench-code
bench-code: need-go ## Measure calls in one process: what one costs, and in tests/bench how many times another
	go test -run '^$$' -bench . -count 3 $(BENCHMARKS)

.PHONY: bench-telemetry
bench-telemetry: need-go ## Measure what telemetry costs: a record, a span, a request, INIT, sizes, and the response with a slow or dead collector
	go test -run '^$$' -bench '^Benchmark(Record|Span|RequestWithTelemetry)' ./tests/bench
	go test -run '^$$' -bench '^Benchmark(Init|SizeOfTheAuthorizer|ResponseUnderACollector)' -benchtime 5x -timeout 30m ./tests/bench

.PHONY: bench-ratelimit
bench-ratelimit: need-go dynamodb-local ## Measure what a rate limit costs: writes, write units, USD, CPU, allocations
	@$(LAY) -program ./local -out .cache/bin/local
	@.cache/bin/local dynamodb -- go test -tags integration -count=1 -timeout 10m -v -run '^TestRateLimit' ./tests/bench
	@go test -run '^$$' -bench '^BenchmarkDecision$$' ./shared/ratelimit/ratelimitddb

.PHONY: bench-smoke
bench-smoke: need-go ## Run every benchmark once, for what it checks and not for its time
	@packages=$(BENCHMARKS); echo 'go test -bench . -benchtime 1x' $$packages; \
	mkdir -p .cache; go test -run '^$$' -bench . -benchtime 1x $$packages >.cache/bench-smoke.log || { cat .cache/bench-smoke.log; exit 1; }

.PHONY: test-sam
test-sam: need-go $(VENV)/.complete dynamodb-local ## Run the API's suite, every event and the authorizer through the SAM CLI and its containers
	go test -tags sam -count=1 -parallel 12 -timeout 30m ./tests/sam/...

.PHONY: test-targets
test-targets: need-go $(VENV)/.complete dynamodb-local ## Start each target of this list in a fresh clone of its own
	go test -tags targets -count=1 -timeout 60m -v ./tests/targets

.PHONY: test-outside
test-outside: need-go dynamodb-local docs $(VENV_FUZZ)/.complete $(OAPI_CODEGEN) $(OASDIFF) $(if $(filter Linux-x86_64,$(shell uname -sm | tr ' ' -)),$(CHROMIUM)) ## Use the API by what outsiders make of openapi.yaml: schemathesis, generated clients, the page in Chromium
	@$(LAY) -program ./local -out .cache/bin/local
	go test -tags outside -count=1 ./tools/openapi/breaking
	.cache/bin/local dynamodb -- go test -tags outside -count=1 -timeout 20m ./tests/outside

.PHONY: dynamodb-local
dynamodb-local: need-go ## Fetch DynamoDB Local into .cache/, unless its container or another engine serves
	@if [ -z "$$DYNAMODB_ENDPOINT" ] && command -v java >/dev/null; then $(LOCAL) fetch; fi

##@ Check

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the Go code
	@$(GOLANGCI_LINT) fmt ./...

.PHONY: fmt-check
fmt-check: $(GOLANGCI_LINT) ## Fail on code that `make fmt` would change
	$(GOLANGCI_LINT) fmt --diff ./...

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run the linters, and check that every go.mod is tidy
	$(GOLANGCI_LINT) run --allow-parallel-runners ./...
	@for module in . $(MODULES); do echo "go mod tidy -diff in $$module"; (cd "$$module" && go mod tidy -diff); done

.PHONY: lint-selftest
lint-selftest: $(GOLANGCI_LINT) ## Prove on planted violations that the linters bite
	@GOOS= GOARCH= go run ./tools/lintproof -golangci-lint "$$PWD/$(GOLANGCI_LINT)"

.PHONY: openapi-lint
openapi-lint: $(NODE_TOOLS)/.complete ## Check openapi.yaml with Redocly
	@REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true $(REDOCLY) lint --config tools/openapi/redocly.yaml openapi.yaml

.PHONY: openapi-diff
openapi-diff: need-go $(OASDIFF) ## Name what breaks clients in openapi.yaml, compared with where the branch began (BASE=commit)
	@GOOS= GOARCH= go run ./tools/openapi/diff -oasdiff $(OASDIFF) -base "$$BASE"

.PHONY: sam-lint
sam-lint: $(VENV)/.complete ## Check template.yaml with cfn-lint and SAM
	$(VENV)/bin/cfn-lint template.yaml tests/library/service/template.yaml observability/fargate/template.yaml
	@AWS_DEFAULT_REGION=eu-central-1 $(SAM) validate --lint --template template.yaml

.PHONY: checkov
checkov: $(VENV)/.complete $(VENV_CHECKOV)/.complete ## Scan what each stage deploys; every skipped rule has its reason in tools/checkov-skips.txt
	@$(VENV_CHECKOV)/bin/python tools/checkov_test.py
	@$(VENV)/bin/python tools/translate --out .cache/checkov $(CONFIG_ENVS)
	@$(VENV_CHECKOV)/bin/python tools/checkov $(CONFIG_ENVS:%=.cache/checkov/%.json)

.PHONY: rehearse
rehearse: need-go $(VENV)/.complete ## Deploy twice to an emulated AWS (moto), and say what that cannot prove
	@$(VENV)/bin/python tests/rehearse/prune_test.py
	@$(MAKE) --no-print-directory build dist-check
	@$(VENV)/bin/python tests/rehearse/rehearse.py

.PHONY: actionlint
actionlint: $(ACTIONLINT) ## Check the GitHub workflows
	$(ACTIONLINT)

.PHONY: govulncheck
govulncheck: $(GOVULNCHECK) ## Look for known vulnerabilities (needs vuln.go.dev)
	$(GOVULNCHECK) ./...

.PHONY: need-stage
need-stage:
	@for stage in $(STAGES); do [ "$$stage" != "$$STAGE" ] || exit 0; done; \
	echo "STAGE is '$$STAGE': want one of $(STAGES), as in make deploy STAGE=dev." >&2; exit 1

.PHONY: need-credentials
need-credentials: $(VENV)/.complete
	@$(VENV)/bin/python tools/credentials $(CONFIG_ENV)

.PHONY: need-bucket
need-bucket:
	@[ -n "$$BUCKET" ] || { echo 'BUCKET is empty: want the name of an S3 bucket, as in make package BUCKET=name.' >&2; exit 1; }

.PHONY: need-go
need-go:
	@command -v go >/dev/null || { echo 'Go is missing: install Go 1.26 or newer (https://go.dev/dl).' >&2; exit 1; }
