# Footbridge. `make run` tries it, `make test` tests it; the rest is for people
# who change it.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  := -s -w -X main.version=$(VERSION)
PLUGINS  := $(notdir $(wildcard plugins/footbridge-adapter-*))
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
MISSING  := $(if $(CHROMIUM),,chromium) $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),,gcc libc6-dev)

.PHONY: run build test race lint check generate bench measure slow screenshots fuzz clean tools

## run: build, start the bridge and a simulated AI Studio, print where to look; with
## DESK=chatwoot (or another of docs/desks/*.toml) that simulated desk instead
run: build
	@VGAI_KEY=demo-key ./.ci/demo

## build: the program and its plugins, into bin/, each complete in one file
build:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/ ./bridge/cmd/footbridge $(addprefix ./plugins/,$(PLUGINS))

## test: everything that is not a benchmark
test: tools
	$(GO) vet ./...
	$(GO) test -shuffle=on -timeout 20m ./...

## race: under the race detector what runs side by side, in short: adapters do not,
## browsers and the stories' programs are processes of their own, and long counts of
## pure work find nothing more in it. internal/web is left out whole: its handlers
## only read what New made, and its tests wait for browsers, which the detector
## cannot see into; what they talk to, engine, journal, desk and API, has its own.
race: tools
	$(GO) test -race -short -shuffle=on -timeout 14m $$($(GO) list ./bridge/... | grep -v /bridge/internal/web$$) ./adapters/*/*sim

## lint: formatting, vet and the tidiness of the module
lint:
	@test -z "$$(gofmt -l bridge adapters plugins)" || { gofmt -l bridge adapters plugins; echo 'mend: gofmt -w bridge adapters plugins'; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags failpoint,measure,screenshots ./...
	$(GO) mod tidy -diff

## check: what continuous integration runs
check: lint test race fuzz

## generate: rewrite generated files (needs protoc)
generate:
	$(GO) generate ./...

## bench: figures for docs/performance.md
bench:
	$(GO) test -run '^$$' -bench . -benchmem ./bridge/internal/journal/sqlite ./bridge/internal/host
	$(GO) test -tags measure -run '^TestMeasure' -v -count=1 ./plugins/stories

## measure: how long the desk ever keeps its agent from the next key
measure: tools
	$(GO) test -tags measure -run '^TestMeasure' -v -count=1 ./bridge/internal/web

## slow: the stories and the pages with every step of the bridge taking up to SLOW, another
## time whenever it is made, so that what comes in a rare order or needs a quick machine
## shows; TRACES is a folder (from /) for how the conversations of what failed went. The
## tests that count where the bridge crashes start it too often for that.
SLOW ?= 100ms
TRACES ?=
slow: tools
	FOOTBRIDGE_SLOW=$(SLOW) FOOTBRIDGE_TRACES=$(TRACES) $(GO) test -count=1 -shuffle=on -skip '^TestCrashes' -timeout 60m ./plugins/stories ./bridge/internal/web

## screenshots: every page, light and dark, desktop and phone, into docs/screenshots/all
screenshots: tools
	@mkdir -p docs/screenshots/all
	FOOTBRIDGE_SHOTS=$(CURDIR)/docs/screenshots/all $(GO) test -tags screenshots -run '^TestScreenshots' -count=1 ./bridge/internal/web
	@cd docs/screenshots && cp all/small-desk-desktop-light.webp all/small-desk-desktop-dark.webp all/small-chat-phone-light.webp .

## fuzz: every fuzz target for FUZZTIME each, two at a time. Go at times fails a target
## with nothing but "context deadline exceeded" when its time is up (go.dev/issue/75804,
## mended in Go 1.27): that is run again.
FUZZTIME ?= 10s
fuzz:
	@grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9]+' adapters bridge plugins | sort | sed 's|/[^/]*:func | |' | \
	xargs -P 2 -L 1 sh -c 'out="$${TMPDIR:-/tmp}/$$1.$$$$"; for try in 1 2 3; do \
	  $(GO) test -run "^$$" -fuzz "^$$1\$$" -fuzztime $(FUZZTIME) -parallel 1 ./$$0 >"$$out" 2>&1; went=$$?; \
	  [ $$went != 0 ] && grep -q "^    context deadline exceeded$$" "$$out" && ! grep -q "Failing input" "$$out" || break; done; \
	  echo "$$0 $$1"; [ $$went = 0 ] || cat "$$out"; rm -f "$$out"; [ $$went = 0 ]'

## tools: what the tests need besides Go
tools:
ifneq ($(strip $(MISSING)),)
	@echo 'installing for the tests: $(MISSING)'
	@if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq --no-install-recommends $(MISSING) >/dev/null; \
	else echo 'mend: install $(MISSING) (Debian: apt-get install $(MISSING)), then run make test again'; exit 1; fi
endif

clean:
	rm -rf bin
