package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/footbridge/footbridge/bridge/internal/api"
)

// destination is where an export goes: a new file, or "" for the output, and a new
// folder for the files that were sent, or "" for nowhere.
type destination struct{ file, files string }

// exportTo writes an export, and tells how many files that can be had are not in it.
// One that was cut short leaves nothing.
func (r *remote) exportTo(c *cobra.Command, s subject, to destination) (left int, err error) {
	out := c.OutOrStdout()
	if to.files != "" {
		if err := os.Mkdir(to.files, 0o700); err != nil {
			return 0, fmt.Errorf("make the folder: %w", err)
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, os.RemoveAll(to.files))
			}
		}()
	}
	if to.file != "" {
		f, err := os.OpenFile(to.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return 0, fmt.Errorf("make the file: %w", err)
		}
		if left, err = r.export(c, s, f, to.files); err == nil {
			err = f.Sync()
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return 0, errors.Join(err, os.Remove(to.file))
		}
		return left, nil
	}
	return r.export(c, s, out, to.files)
}

// export copies an export line by line; at a file's it saves the file.
func (r *remote) export(c *cobra.Command, s subject, to io.Writer, folder string) (left int, err error) {
	resp, err := r.post(c, "/exports", s)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("read the export: %w", err)
		}
		var e struct{ Type string }
		if json.Unmarshal(line, &e) != nil {
			return 0, errors.New("the export was cut short; mend: look into the bridge's log and export again")
		}
		if e.Type == "file" {
			var missed int
			if line, missed, err = r.fileLine(c.Context(), line, folder); err != nil {
				return 0, err
			}
			left += missed
		}
		if _, err := to.Write(line); err != nil {
			return 0, fmt.Errorf("write the export: %w", err)
		}
		if e.Type == "end" {
			return left, nil
		}
	}
}

// fileRecord is the line of a file.
type fileRecord struct {
	Type string    `json:"type"`
	File savedFile `json:"file"`
}

type savedFile struct {
	api.ExportedFile
	// Saved is where the file is, below the folder.
	Saved string `json:"saved,omitempty"`
}

// fileLine saves the file of a line and adds where; missed is 1 where it could have
// been saved and no folder is there.
func (r *remote) fileLine(ctx context.Context, line []byte, folder string) (written []byte, missed int, err error) {
	var f fileRecord
	if err := json.Unmarshal(line, &f); err != nil {
		return nil, 0, fmt.Errorf("read the export: %w", err)
	}
	switch {
	case !strings.HasPrefix(f.File.URL, "/"): // it is not here, or the vendor's alone
		return line, 0, nil
	case folder == "":
		return line, 1, nil
	}
	if f.File.Saved, err = r.save(ctx, f.File.ExportedFile, folder); err != nil {
		return nil, 0, fmt.Errorf("save file %q: %w", f.File.Name, err)
	}
	var out bytes.Buffer
	err = json.NewEncoder(&out).Encode(f)
	return out.Bytes(), 0, err
}

// handleForm is the form of what files are known by: a conversation, and the file.
//
//nolint:gochecknoglobals // never written.
var handleForm = regexp.MustCompile(`^([0-9A-Z]{26})[.]([a-z2-7]{8})[a-z2-7]{18}$`)

// save reads a file into the folder of its conversation, under its own name after
// what tells it from others of the same.
func (r *remote) save(ctx context.Context, f api.ExportedFile, folder string) (saved string, err error) {
	parts := handleForm.FindStringSubmatch(f.Blob)
	if parts == nil {
		return "", errors.New("the bridge answered what is no file")
	}
	saved = filepath.Join(parts[1], parts[2]+"-"+filepath.Base(filepath.Clean("/"+f.Name)))
	if err := os.MkdirAll(filepath.Join(folder, parts[1]), 0o700); err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(r.base, api.Base)+f.URL, nil)
	if err != nil {
		return "", err
	}
	patient := *r.client
	patient.Timeout = 0
	resp, err := patient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the bridge answered %s", resp.Status)
	}
	return saved, writeFile(filepath.Join(folder, saved), resp.Body, f.Size)
}

func writeFile(name string, content io.Reader, size int64) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(file, content)
	if err == nil && n != size {
		err = fmt.Errorf("%d of its %d bytes came", n, size)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
