package slack

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/footbridge/footbridge/bridge/event"
)

func nobody() desk {
	return desk{s: &state{People: []event.Actor{{ID: "U0SAM", Name: "Sam"}}}}
}

func TestMarkdownOfPeople(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                                              "plain",
		"*bold* _it_ ~gone~ `a*b*c`":                         "**bold** _it_ ~~gone~~ `a*b*c`",
		"2 * 3 * 4, a*b*c, *open":                            "2 * 3 * 4, a*b*c, *open",
		"*bold ~and gone~*":                                  "**bold ~~and gone~~**",
		"&lt;b&gt; &amp;amp; R&amp;D":                        "<b> &amp; R&D",
		"<https://example.com>":                              "https://example.com",
		"<https://example.com/a?b=1&amp;c=2|here [x]>":       "[here (x)](https://example.com/a?b=1&c=2)",
		"<http://example.com|example.com>":                   "http://example.com",
		"<mailto:a@b.example|a@b.example>":                   "a@b.example",
		"<tel:+44123|+44123>":                                "+44123",
		"<@U0SAM> <@U0KIM> <@U0KIM|kim>":                     "@Sam @Live agent @kim",
		"<#C1|general> <#C1>":                                "#general #C1",
		"<!here> <!subteam^S1|@team> <!date^1^{date}|today>": "@here @team today",
		":wave::skin-tone-3: :nosuch: 10:30:45":              "👋 :nosuch: 10:30:45",
		"• one\n    ◦ two":                                   "- one\n    - two",
		"&gt; quoted":                                        "> quoted",
		"see ```a\n*b* &lt;``` end":                          "see \n```\na\n*b* <\n```\n end",
		"a < b > c":                                          "a < b > c",
	} {
		if got := nobody().markdown(text); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

func TestMrkdwnOfCustomers(t *testing.T) {
	for text, want := range map[string]string{
		"plain & <!channel> <@U1>":              "plain &amp; &lt;!channel&gt; &lt;@U1&gt;",
		"**bold** __bold__ *it* ~~gone~~ _it_":  "*bold* *bold* _it_ ~gone~ _it_",
		"**bold and *it* in it**":               "*bold and _it_ in it*",
		"[here](https://example.com/a?b=1&c=2)": "<https://example.com/a?b=1&amp;c=2|here>",
		"![a|b](https://example.com/x|y)":       "<https://example.com/x%7Cy|a/b>",
		"[no](!channel) [no](@U1) [no](#C1)":    "[no](!channel) [no](@U1) [no](#C1)",
		"[no](javascript:alert)":                "[no](javascript:alert)",
		"# Head **x** #\ntext":                  "*Head x*\ntext",
		"- one\n  * two\n+ three":               "• one\n  • two\n• three",
		`\*not\* \_it\_`:                        "*not* _it_",
		"`a<b` and\n```\nx & y\n```":            "`a&lt;b` and\n```\nx &amp; y\n```",
		"2 * 3 * 4":                             "2 * 3 * 4",
		"> quoted":                              "&gt; quoted",
	} {
		if got := mrkdwn(text); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

// TestRoundTrip: what both markups have goes there and back as it was.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-zäß0-9]{1,8}([ &<][a-z0-9]{1,5})?`)
		var parts []string
		for range rapid.IntRange(1, 8).Draw(t, "parts") {
			w := word.Draw(t, "word")
			parts = append(parts, rapid.SampledFrom([]string{w, "**" + w + "**", "~~" + w + "~~", "`" + w + "`", "[" + w + "](https://example.com/x?a=1&b=2)",
				"**" + w + " ~~x~~**", "\n- " + w, "\n```\n" + w + "\n```\n"}).Draw(t, "form"))
		}
		text := strings.Join(parts, " ")
		if got := nobody().markdown(mrkdwn(text)); got != text {
			t.Fatalf("%q comes back as %q from %q", text, got, mrkdwn(text))
		}
	})
}

// control is what Slack reads between < and >; link is what we write there.
var (
	control = regexp.MustCompile(`<[^>]*>?`)
	link    = regexp.MustCompile(`^<(?:https?://|mailto:|tel:)[^<>|\s]+\|[^<>|\n]+>$`)
)

// calls is what of a text Slack would take for more than words.
func calls(text string) string {
	for _, found := range control.FindAllString(text, -1) {
		if !link.MatchString(found) {
			return found
		}
	}
	return ""
}

// TestNobodyIsCalled: whatever a customer writes, it is words and links.
func TestNobodyIsCalled(t *testing.T) {
	pieces := rapid.SampledFrom([]string{"<", ">", "&", "!channel", "@U0SAM", "|", "[", "]", "(", ")", "https://x", "*", "**", "_", "~~", "`", "```", "\\", "#", " ", "\n", "a", "lt;"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(pieces, 0, 30).Draw(t, "text"), "")
		if found := calls(mrkdwn(text)); found != "" {
			t.Fatalf("%q gives %q", text, found)
		}
		if got := unescape(escape(text)); got != text || calls(escape(text)) != "" {
			t.Fatalf("%q comes back as %q", text, got)
		}
	})
}

// TestParts: parts of a long text are whole, in order and within the limit.
func TestParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var said []string
		for range rapid.IntRange(1, 6).Draw(t, "texts") {
			said = append(said, strings.Repeat(rapid.SampledFrom([]string{"word ", "&amp;", "<https://x|y>", "é👩‍👩‍👧"}).Draw(t, "of"), rapid.IntRange(1, 900).Draw(t, "times")))
		}
		parts := pack(said)
		if got, want := strings.ReplaceAll(strings.Join(parts, ""), "\n", ""), strings.Join(said, ""); got != want {
			t.Fatalf("%d bytes of %d", len(got), len(want))
		}
		for _, part := range parts {
			if utf8.RuneCountInString(part) > partLimit || calls(part) != "" || strings.HasSuffix(part, "&am") {
				t.Fatalf("a part of %d that ends in %.20q", utf8.RuneCountInString(part), part[max(0, len(part)-20):])
			}
		}
	})
}

func FuzzMarkdown(f *testing.F) {
	f.Add("*a* _b_ ~c~ `d` ```e``` <https://x|y> <@U1> &amp; :wave: • x")
	f.Fuzz(func(t *testing.T, text string) {
		if got := nobody().markdown(text); utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("%q gives %q", text, got)
		}
	})
}

func FuzzMrkdwn(f *testing.F) {
	f.Add("**a** *b* ~~c~~ `d` ```e``` [x](https://y) # z\n- l <!channel>")
	f.Fuzz(func(t *testing.T, text string) {
		got := mrkdwn(text)
		if found := calls(got); found != "" || utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("%q gives %q, with %q", text, got, found)
		}
	})
}

// TestLongSignsTakeNoTime: a sign at the beginning of a line is not looked for through
// all that stands before it.
func TestLongSignsTakeNoTime(t *testing.T) {
	for _, sign := range []string{"-", "*  "} {
		begun := time.Now()
		if mrkdwn(strings.Repeat(sign, 200_000/len(sign))); time.Since(begun) > 3*time.Second {
			t.Errorf("%q takes %s", sign, time.Since(begun))
		}
	}
}
