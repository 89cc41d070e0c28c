package slack

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
	"github.com/footbridge/footbridge/bridge/event"
)

// escape makes words of a text that Slack takes for nothing else.
func escape(text string) string {
	if !strings.ContainsAny(text, "&<>") {
		return text
	}
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// unescape takes that back.
func unescape(text string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}

// code finds the code a text begins with, between fences or ticks: what is within, and
// all that it takes.
func code(text string) (within string, size int) {
	for _, mark := range []string{"```", "`"} {
		if !strings.HasPrefix(text, mark) {
			continue
		}
		end := strings.Index(text[len(mark):], mark)
		if end <= 0 || mark == "`" && strings.Contains(text[1:1+end], "\n") {
			return "", 0
		}
		return text[len(mark) : len(mark)+end], 2*len(mark) + end
	}
	return "", 0
}

// marked finds the marks around words at the beginning of a text: they stand at the
// border of words, with none of their own kind between, on one line.
func marked(before rune, text, mark string) (within string, ok bool) {
	rest, found := strings.CutPrefix(text, mark)
	if !found || wordly(before) || rest == "" || rest[0] == mark[0] || rest[0] == ' ' {
		return "", false
	}
	end := strings.Index(rest, mark)
	if end <= 0 || strings.Contains(rest[:end], "\n") || rest[end-1] == ' ' {
		return "", false
	}
	if next, _ := utf8.DecodeRuneInString(rest[end+len(mark):]); wordly(next) || next == rune(mark[0]) {
		return "", false
	}
	return rest[:end], true
}

func wordly(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// rewriting goes through a text of one markup and writes the other.
type rewriting struct {
	out    strings.Builder
	before rune // what was read last
}

// codeIn writes code as it is in both markups; a block of it has lines of its own.
func (w *rewriting) codeIn(text string, of func(string) string) (size int) {
	within, size := code(text)
	if size == 0 {
		return 0
	}
	if !strings.HasPrefix(text, "```") {
		w.out.WriteString("`" + of(within) + "`")
		return size
	}
	if written := w.out.String(); written != "" && !strings.HasSuffix(written, "\n") {
		w.out.WriteString("\n")
	}
	w.out.WriteString("```\n" + of(strings.Trim(within, "\n")) + "\n```")
	if rest := text[size:]; rest != "" && rest[0] != '\n' {
		w.out.WriteString("\n")
	}
	return size
}

// take goes on by size bytes of a text and gives the rest.
func (w *rewriting) take(text string, size int) string {
	w.before, _ = utf8.DecodeLastRuneInString(text[:size])
	return text[size:]
}

// one writes the next rune.
func (w *rewriting) one(text string, of func(string) string) string {
	_, size := utf8.DecodeRuneInString(text)
	w.out.WriteString(of(text[:size]))
	return w.take(text, size)
}

// markdown is what a person wrote, in the markup customers' sides know. Who is spoken
// of is called by name.
func (d desk) markdown(text string) string {
	w := rewriting{}
	for text != "" {
		if size := w.codeIn(text, unescape); size > 0 {
			text = w.take(text, size)
		} else if size := w.fromSlack(text, d); size > 0 {
			text = w.take(text, size)
		} else {
			text = w.one(text, func(s string) string { return s })
		}
	}
	return w.out.String()
}

// fromSlack writes what begins with a sign of mrkdwn's; 0 where none does.
func (w *rewriting) fromSlack(text string, d desk) int {
	for entity, sign := range map[string]string{"&amp;": "&", "&lt;": "<", "&gt;": ">"} {
		if strings.HasPrefix(text, entity) {
			w.out.WriteString(sign)
			return len(entity)
		}
	}
	for mark, other := range map[string]string{"*": "**", "~": "~~"} {
		if within, ok := marked(w.before, text, mark); ok {
			w.out.WriteString(other + d.markdown(within) + other)
			return len(within) + 2
		}
	}
	for bullet, indent := range map[string]string{"• ": "- ", "◦ ": "- ", "▪︎ ": "- "} {
		if strings.HasPrefix(text, bullet) && w.atBegin() {
			w.out.WriteString(indent)
			return len(bullet)
		}
	}
	if size := w.emoji(text); size > 0 {
		return size
	}
	if text[0] != '<' {
		return 0
	}
	if within, rest, found := strings.Cut(text, ">"); found && len(within) > 1 && within[1] != ' ' && !strings.ContainsAny(within[1:], "<\n") {
		w.out.WriteString(d.reference(within[1:]))
		return len(text) - len(rest)
	}
	return 0
}

// atBegin reports whether nothing but spaces is written on the line.
func (w *rewriting) atBegin() bool {
	line := strings.TrimRight(w.out.String(), " ")
	return line == "" || strings.HasSuffix(line, "\n")
}

// emoji writes one that Slack has by name, where it is among those people use to
// strangers.
func (w *rewriting) emoji(text string) int {
	if text[0] != ':' {
		return 0
	}
	found := regexp.MustCompile(`^:([a-z0-9_+-]{1,40}):(:skin-tone-[2-6]:)?`).FindStringSubmatch(text)
	if found == nil || emojis()[found[1]] == "" {
		return 0
	}
	w.out.WriteString(emojis()[found[1]])
	return len(found[0])
}

// reference is what stands between < and >: an address, somebody, a channel, or a word
// of Slack's own.
func (d desk) reference(text string) string {
	target, words, _ := strings.Cut(text, "|")
	target, words = unescape(target), unescape(words)
	switch {
	case strings.HasPrefix(target, "@"):
		who := d.person(target[1:])
		if who.Name == "" {
			who.Name = words
		}
		return "@" + strings.TrimPrefix(label(who), "@")
	case strings.HasPrefix(target, "#"):
		if words == "" {
			words = target[1:]
		}
		return "#" + words
	case strings.HasPrefix(target, "!"):
		name, _, _ := strings.Cut(target[1:], "^")
		if words == "" {
			return "@" + name
		}
		return words
	case words == "" || words == target || "http://"+words == target || "mailto:"+words == target || "tel:"+words == target:
		return strings.TrimPrefix(strings.TrimPrefix(target, "mailto:"), "tel:")
	}
	return "[" + strings.NewReplacer("[", "(", "]", ")").Replace(words) + "](" + strings.NewReplacer("(", "%28", ")", "%29", " ", "%20").Replace(target) + ")"
}

// wordsOf is content in Slack's markup; plain says that there is none in it.
func wordsOf(c event.Content) (text string, plain bool) {
	if said, ok := c.Part.(event.Text); ok && said.Format == event.FormatMarkdown {
		return mrkdwn(said.Text), false
	}
	return escape(codec.Plain(c)), true
}

// mrkdwn is markdown in Slack's markup. Whatever it says, it calls nobody at Slack: of
// what Slack reads between < and > it makes links to addresses only.
func mrkdwn(text string) string {
	w := rewriting{before: '\n'}
	for text != "" {
		if size := w.codeIn(text, escape); size > 0 {
			text = w.take(text, size)
		} else if size := w.fromMarkdown(text); size > 0 {
			text = w.take(text, size)
		} else {
			text = w.one(text, escape)
		}
	}
	return w.out.String()
}

// fromMarkdown writes what begins with a sign of markdown's; 0 where none does.
func (w *rewriting) fromMarkdown(text string) int {
	if len(text) > 1 && text[0] == '\\' && strings.IndexByte("\\`*_{}[]()#+-.!~>|", text[1]) >= 0 {
		w.out.WriteString(escape(text[1:2]))
		return 2
	}
	if found := linkOf(text); found != nil {
		address := strings.NewReplacer("|", "%7C", "<", "%3C", ">", "%3E").Replace(found[2])
		w.out.WriteString("<" + escape(address) + "|" + escape(strings.ReplaceAll(found[1], "|", "/")) + ">")
		return len(found[0])
	}
	for _, pair := range [][2]string{{"**", "*"}, {"__", "*"}, {"~~", "~"}, {"*", "_"}} {
		if within, ok := marked(w.before, text, pair[0]); ok {
			w.out.WriteString(pair[1] + mrkdwn(within) + pair[1])
			return len(within) + 2*len(pair[0])
		}
	}
	return w.lineBegins(text)
}

// linkOf is the link or picture a text begins with, to an address that is one: all of
// it, its words, the address.
func linkOf(text string) []string {
	if text[0] != '[' && text[0] != '!' {
		return nil
	}
	return regexp.MustCompile(`^!?\[([^\[\]\n]+)\]\(((?:https?://|mailto:|tel:)[^\s()]+)\)`).FindStringSubmatch(text)
}

// lineBegins writes what has a meaning at the beginning of a line only.
func (w *rewriting) lineBegins(text string) int {
	if strings.IndexByte("#-*+", text[0]) < 0 || !w.atBegin() {
		return 0
	}
	if found := regexp.MustCompile(`^#{1,6} +([^\n]+)`).FindStringSubmatch(text); found != nil {
		w.out.WriteString("*" + mrkdwn(strings.Trim(strings.ReplaceAll(found[1], "*", ""), " #")) + "*")
		return len(found[0])
	}
	if found := regexp.MustCompile(`^[-*+] +`).FindString(text); found != "" {
		w.out.WriteString("• ")
		return len(found)
	}
	return 0
}
