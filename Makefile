# Everything needs Go, git and make; `make test` also uses python3 for its independent Secrets Manager, node and npm for
# infra/cdk, and a C compiler for the race detector, and says what it leaves out without them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The Kubernetes release that tests and the local cluster run on: a folder of tools/kubernetes.
K8S_VERSION ?= 1.37
export K8S_VERSION

BIN := $(CURDIR)/.bin
K8S_MODULE := tools/kubernetes/$(K8S_VERSION)
K8S_BIN := $(BIN)/k8s-$(K8S_VERSION)

ifeq ($(wildcard $(K8S_MODULE)/go.mod),)
$(error there is no $(K8S_MODULE); K8S_VERSION is one of: $(notdir $(wildcard tools/kubernetes/*)))
endif

# Programs are built without cgo and without the builder's paths, so that they are the same wherever they are built.
BUILD := CGO_ENABLED=0 go build -trimpath -ldflags "-s -w"

# What `sr --version` and the manager say they are.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

# Go switches cgo off where it finds no C compiler, and the race detector needs it.
RACE := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

# What tests run beside the control plane.
TEST_TOOLS := $(addprefix $(BIN)/,gotestsum krew helm helm3 promtool)

CONTROL_PLANE := $(BIN)/etcd $(addprefix $(K8S_BIN)/,kube-apiserver kube-controller-manager kubectl)

##@ Use it

.PHONY: up
up: control-plane build ## Start a local cluster with everything in it, and wait until it is ready
	$(BIN)/dev up

.PHONY: down
down: ## Stop the local cluster and forget its state
	@if [ -x $(BIN)/dev ]; then $(BIN)/dev down; else echo "nothing to stop"; fi

.PHONY: helm-values
helm-values: ## Print the chart's values from the outputs of a stack of infra/cdk: STACK=, CLUSTER=, ARGS=-pod-identity
	aws cloudformation describe-stacks --stack-name "$(STACK)" | (cd infra/cdk && go run ./cmd/helm-values -cluster "$(CLUSTER)" $(ARGS))

.PHONY: helm-values-file
helm-values-file: ## The same from the file that "cdk deploy --outputs-file" wrote: OUTPUTS=, CLUSTER=, ARGS=-pod-identity
	cd infra/cdk && go run ./cmd/helm-values -file "$(abspath $(OUTPUTS))" -cluster "$(CLUSTER)" $(ARGS)

STACK ?= secretreview

.PHONY: demo
demo: up ## Play a whole story on the local cluster, printing each command and its answer
	$(BIN)/demo

##@ Change it

.PHONY: build
build: ## Build this project's programs into .bin
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN)/ ./cmd/... ./test/demo ./test/dev ./test/emulator
	ln -sf sr $(BIN)/kubectl-sr
	ln -sf sr $(BIN)/kubectl_complete-sr

.PHONY: update-cdk-snapshots
update-cdk-snapshots: ## Write the templates that infra/cdk's examples give, to see in the diff what would be deployed
	cd infra/cdk && go test -count=1 ./test -run TestTemplatesOfTheExamplesAreThoseThatAreCommitted -update

.PHONY: record-aws
record-aws: control-plane $(TEST_TOOLS) ## Record anew which rights in AWS the end-to-end tests need, which infra/cdk's policies are held to
	SECRETREVIEW_RECORD_AWS=$(CURDIR)/infra/cdk/testdata/asked.json go test -count=1 -timeout 30m ./test/e2e

.PHONY: generate
generate: $(BIN)/controller-gen $(BIN)/crd-ref-docs ## Generate deep copies, CRDs, docs, and what the chart has from elsewhere
	$(BIN)/controller-gen object crd paths=./api/... output:crd:dir=config/crd/bases
	$(BIN)/crd-ref-docs --log-level=WARN --source-path=api/v1alpha1 --config=tools/apidocs/config.yaml \
		--templates-dir=tools/apidocs/templates --renderer=markdown --output-path=docs/api.md
	tools/chart-files.sh
	go test ./internal/cli/root -run TestReference -count=1 -update
	cd tools && go run ./dashboard -out ../charts/secretreview/files/observability/dashboard.json
	go test ./gitops/argocd -count=1 -update

.PHONY: fmt
fmt: $(BIN)/golangci-lint ## Format all Go code
	for module in . infra/cdk $(PEERS); do (cd $$module && $(BIN)/golangci-lint fmt); done

##@ Check it

.PHONY: test
test: control-plane build $(TEST_TOOLS) ## Run all tests; installs what they need, and says what it leaves out
	@$(if $(RACE),,echo "there is no C compiler, so the tests run without the race detector")
	$(BIN)/gotestsum --format pkgname --format-hide-empty-pkg --jsonfile $(BIN)/test.json -- $(RACE) -count=1 -p 2 -timeout 30m ./...
	@echo && sed -nE 's/.*"Output":"REPORT: (.*)\\n"\}$$/\1/p' $(BIN)/test.json
	@$(MAKE) --no-print-directory test-peers test-cdk

# Modules of tests of their own, because what they test beside wants other versions of what the product uses.
PEERS := $(patsubst %/go.mod,%,$(wildcard test/*/go.mod))

.PHONY: test-peers
test-peers: control-plane build $(addprefix $(BIN)/,gotestsum external-secrets controller-gen helm kustomize-controller) ## Test beside the programs that people use with secretreview
	@for module in $(PEERS); do \
		(cd $$module && $(BIN)/gotestsum --format pkgname --format-hide-empty-pkg --jsonfile $(BIN)/test-peer.json -- -count=1 -timeout 20m ./...) || exit 1; \
		echo; sed -nE 's/.*"Output":"REPORT: (.*)\\n"\}$$/\1/p' $(BIN)/test-peer.json; \
	done

.PHONY: test-cdk
test-cdk: $(BIN)/gotestsum ## Test infra/cdk; installs what that needs from npm and PyPI
	@missing=$$(for program in node npm; do command -v $$program >/dev/null || echo $$program; done); \
	if [ -n "$$missing" ]; then \
		echo "infra/cdk was left out, because there is no" $$missing; \
	else \
		cd infra/cdk && $(BIN)/gotestsum --format pkgname --format-hide-empty-pkg --jsonfile $(BIN)/test-cdk.json -- -count=1 -timeout 20m ./... && \
		echo && sed -nE 's/.*"Output":"REPORT: (.*)\\n"\}$$/\1/p' $(BIN)/test-cdk.json; \
	fi

.PHONY: bench
bench: control-plane build ## Measure how fast everything is and what it costs, into .bin/bench.json: ARGS="-quick", ARGS="-only latency,burst"
	go run ./test/bench -json $(BIN)/bench.json $(ARGS)

.PHONY: measure
measure: control-plane build ## Measure the manager's memory and processor time, idle and with 1,000 changes: ARGS="-idle 1m"
	go run ./test/bench -only resources $(ARGS)

.PHONY: simulate
simulate: ## Play 100,000 random schedules of people, attackers and crashes against the core: ARGS="-schedules 1000000"
	go test ./test/simulation -run TestSimulation -count=1 -v -timeout 60m -schedules 100000 $(ARGS)

.PHONY: fuzz
fuzz: ## Run all fuzz targets, each for FUZZTIME
	tools/fuzz.sh $(FUZZTIME)

FUZZTIME ?= 1m

.PHONY: crash
crash: control-plane build ## Kill the manager at each of its calls, and at random under load: KILLS=300 SEED=4711
	go test -count=1 -v -timeout 4h ./test/crash -crash.every=1 -crash.kills=$(or $(KILLS),300) -crash.seed=$(or $(SEED),0) -ginkgo.timeout=4h

.PHONY: test-cluster
test-cluster: control-plane build $(TEST_TOOLS) ## Run only the tests against a cluster, as for another K8S_VERSION
	go test -count=1 -p 2 -timeout 30m $$(go list -test -f '{{if .ForTest}}{{range .Deps}}{{if eq . "$(CLUSTER_PACKAGE)"}}{{$$.ForTest}}{{end}}{{end}}{{end}}' ./... | sort -u)

CLUSTER_PACKAGE := github.com/secretreview/secretreview/test/cluster

.PHONY: lint
lint: $(BIN)/golangci-lint $(BIN)/actionlint ## Check style, mistakes and which package may import which, and the workflows
	for module in . infra/cdk $(PEERS); do (cd $$module && $(BIN)/golangci-lint run); done
	$(BIN)/actionlint

.PHONY: verify-generated
verify-generated: ## Fail when a generated file is stale
	tools/verify-generated.sh

.PHONY: verify-modules
verify-modules: ## Fail when a go.mod or go.sum says too much or too little
	for module in $$(git ls-files 'go.mod' '*/go.mod'); do (cd "$$(dirname "$$module")" && go mod tidy -diff); done

.PHONY: verify-format
verify-format: $(BIN)/golangci-lint ## Fail when Go code is not formatted
	for module in . infra/cdk $(PEERS); do (cd $$module && $(BIN)/golangci-lint fmt --diff); done

.PHONY: vuln
vuln: $(BIN)/govulncheck ## Fail on known vulnerabilities that the code can reach
	tools/vuln.sh $(BIN)/govulncheck

##@ Release it, as RELEASE=v1.2.3

MAKE_RELEASE := cd tools/release && go run . -root ../.. -out ../../dist -helm $(BIN)/helm -version "$(RELEASE)"

.PHONY: release
release: $(BIN)/helm ## Make everything that a release consists of, in dist
	$(MAKE_RELEASE) -clean archives images chart

.PHONY: dist
dist: ## Pack sr for all platforms into dist, with SBOMs, checksums and krew manifests
	$(MAKE_RELEASE) archives

.PHONY: image
image: ## Build the images of manager and sr into dist/images; REPOSITORY=ghcr.io/… also pushes them there
	$(MAKE_RELEASE) $(if $(REPOSITORY),-repository "$(REPOSITORY)" images push,images)

.PHONY: push
push: ## Push the images that are in dist/images to REPOSITORY=ghcr.io/…
	$(MAKE_RELEASE) -repository "$(REPOSITORY)" push

.PHONY: chart
chart: $(BIN)/helm ## Package the chart into dist
	$(MAKE_RELEASE) chart

##@ Tools

MODULE_TOOLS := etcd krew helm helm3 kustomize-controller external-secrets promtool actionlint

.PHONY: tools
tools: control-plane $(addprefix $(BIN)/,controller-gen crd-ref-docs golangci-lint govulncheck gotestsum $(MODULE_TOOLS)) ## Build all pinned tools

.PHONY: control-plane
control-plane: $(CONTROL_PLANE)

# A tool is built again when its module changes. These have a folder of their own name, whose go.mod names one tool.
# Of promtool, without the clients of all clouds that Prometheus can find targets in: checking rules needs none.
BUILD_FLAGS_promtool := -tags remove_all_sd
$(addprefix $(BIN)/,$(MODULE_TOOLS)): $(BIN)/%: tools/%/go.mod tools/%/go.sum
	@echo "building $*; the first time may take minutes"
	cd tools/$* && $(BUILD) $(BUILD_FLAGS_$*) -o $@ $$(go list tool)

$(BIN)/controller-gen: tools/go.mod tools/go.sum
	cd tools && $(BUILD) -o $@ sigs.k8s.io/controller-tools/cmd/controller-gen

$(BIN)/crd-ref-docs: tools/go.mod tools/go.sum
	cd tools && $(BUILD) -o $@ github.com/elastic/crd-ref-docs

$(BIN)/gotestsum: tools/go.mod tools/go.sum
	cd tools && $(BUILD) -o $@ gotest.tools/gotestsum

$(BIN)/govulncheck: tools/go.mod tools/go.sum
	cd tools && $(BUILD) -o $@ golang.org/x/vuln/cmd/govulncheck

$(BIN)/golangci-lint: tools/lint/go.mod tools/lint/go.sum
	@echo "building golangci-lint; the first time takes minutes"
	cd tools/lint && $(BUILD) -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(K8S_BIN)/%: $(K8S_MODULE)/go.mod $(K8S_MODULE)/go.sum
	@echo "building $* $(K8S_VERSION); the first time takes minutes"
	tools/kubernetes/build.sh $(K8S_MODULE) $* $@

.PHONY: clean
clean: down ## Remove what was built, and the local cluster
	rm -rf $(BIN) .dev

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  %-21s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
