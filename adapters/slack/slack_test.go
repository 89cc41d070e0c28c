package slack_test

import (
	"testing"

	"github.com/footbridge/footbridge/adapters/slack"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
)

func TestScripts(t *testing.T) { adaptertest.Scripts(t, slack.Definition(), "testdata") }

func TestLaws(t *testing.T) {
	o, err := adaptertest.ReadOptions("testdata/laws.json")
	if err != nil {
		t.Fatal(err)
	}
	adaptertest.Laws(t, slack.Definition(), o)
}

func TestCorpus(t *testing.T) { adaptertest.Corpus(t, slack.Definition(), "testdata/corpus.json") }
