package libredesk_test

import (
	"testing"

	"github.com/footbridge/footbridge/adapters/libredesk"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
)

func TestScripts(t *testing.T) { adaptertest.Scripts(t, libredesk.Definition(), "testdata") }

func TestLaws(t *testing.T) {
	o, err := adaptertest.ReadOptions("testdata/laws.json")
	if err != nil {
		t.Fatal(err)
	}
	adaptertest.Laws(t, libredesk.Definition(), o)
}

func TestCorpus(t *testing.T) { adaptertest.Corpus(t, libredesk.Definition(), "testdata/corpus.json") }
