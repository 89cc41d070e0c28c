package media

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"os/exec"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
)

// DefaultTypes are kept where no list is set: what people send each other, and
// nothing a browser would run.
func DefaultTypes() []string {
	return []string{"image/png", "image/jpeg", "image/gif", "image/webp", "audio/*", "video/mp4", "video/webm", "application/pdf", "text/plain", "text/csv",
		"application/zip", "application/msword", "application/vnd.ms-excel", "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"application/vnd.openxmlformats-officedocument.presentationml.presentation"}
}

// vague are the sniffer's words for what has no signature of its own, and what
// such bytes may be declared to be: a prefix.
//
//nolint:gochecknoglobals // a table that is never written.
var vague = map[string][]string{
	"application/zip":          {"application/zip", "application/vnd.openxmlformats-", "application/vnd.oasis.", "application/x-zip"},
	"application/octet-stream": {"application/msword", "application/vnd.ms-", "audio/", "video/", "application/octet-stream", "image/heic", "image/avif"},
	"text/plain":               {"text/plain", "text/csv", "text/markdown", "application/json", "text/calendar", "text/vcard"},
	"application/ogg":          {"audio/ogg", "video/ogg", "application/ogg"},
	"video/webm":               {"video/webm", "audio/webm"},
	"video/mp4":                {"video/mp4", "audio/mp4", "video/quicktime", "audio/x-m4a"},
	"audio/wave":               {"audio/wav", "audio/x-wav", "audio/wave"},
	"audio/mpeg":               {"audio/mpeg", "audio/mp3"},
}

// judge finds the type of a file by its first bytes and what it is declared to
// be. Bytes that say otherwise than the declaration are refused.
func (r Rules) judge(declared string, head []byte) (string, error) {
	sniffed, _, _ := mime.ParseMediaType(http.DetectContentType(head))
	declared, _, err := mime.ParseMediaType(declared)
	if err != nil || declared == "application/octet-stream" || declared == "binary/octet-stream" {
		declared = sniffed
	}
	agrees := declared == sniffed
	for _, beginning := range vague[sniffed] {
		agrees = agrees || strings.HasPrefix(declared, beginning)
	}
	if !agrees {
		return "", &Refusal{"it is declared " + declared + " and is " + sniffed}
	}
	family, _, _ := strings.Cut(declared, "/")
	if !slices.Contains(r.Types, declared) && !slices.Contains(r.Types, family+"/*") {
		return "", &Refusal{"files of type " + declared + " are not taken"}
	}
	return declared, nil
}

// kindOf is the word events have for a type.
func kindOf(mimeType string) string {
	family, _, _ := strings.Cut(mimeType, "/")
	if family == "image" || family == "audio" || family == "video" {
		return family
	}
	return "file"
}

// safeName is a file's name as it may stand in a header, an address and a
// folder: no path, nothing that cannot be seen, not too long.
func safeName(name, mimeType string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || strings.ContainsRune(`/:*?"<>|%;`, r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	name = strings.Trim(name, ". ")
	if runes := []rune(name); len(runes) > 100 {
		name = string(runes[len(runes)-100:])
	}
	if name == "" {
		return kindOf(mimeType)
	}
	return name
}

// scan gives a file to the operator's scanner. What it does not find harmless is
// refused, and so is what it did not look at.
func (r Rules) scan(ctx context.Context, file io.Reader) error {
	if len(r.Scan) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.ScanWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.Scan[0], r.Scan[1:]...) //nolint:gosec // the operator's own command.
	cmd.Stdin, cmd.WaitDelay = file, time.Second
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	err := cmd.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil && errors.As(err, &ended) && ended.ExitCode() == 1:
		return &Refusal{"the scanner found it harmful"}
	}
	return &Refusal{"it could not be scanned"}
}
