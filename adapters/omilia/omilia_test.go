package omilia_test

import (
	"testing"

	"github.com/footbridge/footbridge/adapters/omilia"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
)

func TestScripts(t *testing.T) { adaptertest.Scripts(t, omilia.Definition(), "testdata") }

func TestLaws(t *testing.T) {
	o, err := adaptertest.ReadOptions("testdata/laws.json")
	if err != nil {
		t.Fatal(err)
	}
	adaptertest.Laws(t, omilia.Definition(), o)
}

func TestCorpus(t *testing.T) { adaptertest.Corpus(t, omilia.Definition(), "testdata/corpus.json") }
