package zendesk_test

import (
	"testing"

	"github.com/footbridge/footbridge/adapters/zendesk"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
)

func TestScripts(t *testing.T) { adaptertest.Scripts(t, zendesk.Definition(), "testdata") }

func TestLaws(t *testing.T) {
	o, err := adaptertest.ReadOptions("testdata/laws.json")
	if err != nil {
		t.Fatal(err)
	}
	adaptertest.Laws(t, zendesk.Definition(), o)
}

func TestCorpus(t *testing.T) { adaptertest.Corpus(t, zendesk.Definition(), "testdata/corpus.json") }
