package degrade

import (
	"html"
	"regexp"
	"strings"
)

// The marks of Markdown that mean something to the eye, and what stays of each.
//
//nolint:gochecknoglobals // a table that is never written.
var markdown = []struct {
	mark *regexp.Regexp
	stay string
}{
	{regexp.MustCompile("(?m)^```[^\n]*\n?"), ""},
	{regexp.MustCompile(`!?\[([^\]\n]*)\]\(([^)\s]+)[^)\n]*\)`), "$1 ($2)"},
	{regexp.MustCompile(`\*\*([^*\n]+)\*\*`), "$1"},
	{regexp.MustCompile(`__([^_\n]+)__`), "$1"},
	{regexp.MustCompile(`(^|[^\w*])\*([^*\n]+)\*`), "$1$2"},
	{regexp.MustCompile(`(^|[^\w_])_([^_\n]+)_($|[^\w_])`), "$1$2$3"},
	{regexp.MustCompile(`~~([^~\n]+)~~`), "$1"},
	{regexp.MustCompile("`([^`\n]+)`"), "$1"},
	{regexp.MustCompile(`(?m)^#{1,6}\s+`), ""},
	{regexp.MustCompile(`(?m)^>\s?`), ""},
	{regexp.MustCompile(`(?m)^(\s*)[*+]\s+`), "$1- "},
}

// fromMarkdown keeps the words and addresses of Markdown.
func fromMarkdown(s string) string {
	for _, m := range markdown {
		s = m.mark.ReplaceAllString(s, m.stay)
	}
	return strings.TrimSpace(s)
}

//nolint:gochecknoglobals // tables that are never written.
var (
	htmlHidden = regexp.MustCompile(`(?is)<(script|style|head)\b.*?</(script|style|head)\s*>|<!--.*?-->`)
	htmlLink   = regexp.MustCompile(`(?is)<a\b[^>]*\bhref\s*=\s*["']([^"']+)["'][^>]*>(.*?)</a\s*>`)
	htmlBreak  = regexp.MustCompile(`(?i)<(br|/p|/div|/h[1-6]|/li|/tr)\b[^>]*>`)
	htmlItem   = regexp.MustCompile(`(?i)<li\b[^>]*>`)
	htmlTag    = regexp.MustCompile(`(?s)<[a-zA-Z/!][^>]*>`)
	manyBreaks = regexp.MustCompile(`\n{3,}`)
)

// fromHTML keeps the words and addresses of HTML.
func fromHTML(s string) string {
	s = htmlHidden.ReplaceAllString(s, "")
	s = htmlLink.ReplaceAllString(s, "$2 ($1)")
	s = htmlBreak.ReplaceAllString(s, "\n")
	s = htmlItem.ReplaceAllString(s, "- ")
	s = html.UnescapeString(htmlTag.ReplaceAllString(s, ""))
	return strings.TrimSpace(manyBreaks.ReplaceAllString(s, "\n\n"))
}
