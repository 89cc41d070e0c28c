package config

import (
	"slices"
	"strings"
	"testing"
)

// TestTranslations: each language has every text, with the same places to fill.
func TestTranslations(t *testing.T) {
	for language, words := range translations {
		for _, key := range TextKeys() {
			own, text := Defaults().Text(language, key), Defaults().Text(english, key)
			if own == "" || own == text || strings.Contains(own, "{position}") != strings.Contains(text, "{position}") {
				t.Errorf("%s.%s is %q, in English %q", language, key, own, text)
			}
		}
		for key := range words {
			if !slices.Contains(TextKeys(), key) {
				t.Errorf("%s.%s is said by nobody", language, key)
			}
		}
	}
}

// TestTextSwitchedOff: what is empty in English is said in no language of our own.
func TestTextSwitchedOff(t *testing.T) {
	c := Defaults()
	c.Texts = map[string]map[string]string{english: {"no_agents": "", "say_again": "Again, please."}, "es": {"no_agents": "Espere."}}
	for _, want := range []struct{ language, key, text string }{
		{"de", "no_agents", ""}, {"es-MX", "no_agents", "Espere."}, {"de", "say_again", translations["de"]["say_again"]}, {"fr", "say_again", "Again, please."}} {
		if got := c.Text(want.language, want.key); got != want.text {
			t.Errorf("%s.%s is %q, want %q", want.language, want.key, got, want.text)
		}
	}
}
