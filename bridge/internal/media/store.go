package media

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/journal"
)

// A kept file is its content in sealed pieces of one size, what is known of it,
// sealed too, and the length of that in four bytes.
const (
	piece     = 64 << 10
	sealExtra = 29 // version, nonce and tag
	maxFacts  = 16 << 10
	unready   = ".part" // a file that was not found good yet
)

func row(handle string, at int64) string { return fmt.Sprintf("%s/%d", handle, at) }

const factsRow = -1

// Put takes a file in for a conversation and gives back how events speak of it.
// given holds the name and type it is said to have. Nobody can get at the file
// before it was found good. A *Refusal says that it was not; journal.ErrErased
// and journal.ErrNotFound that the conversation takes none.
func (s *Store) Put(ctx context.Context, conversation string, given event.Media, content io.Reader) (event.Media, error) {
	handle := newHandle(conversation)
	if conversationOf(handle) == "" {
		return event.Media{}, journal.ErrNotFound
	}
	f, err := s.put(ctx, handle, File{Media: given}, content)
	return f.Media, err
}

// put stores a file under its handle.
func (s *Store) put(ctx context.Context, handle string, f File, content io.Reader) (File, error) {
	if err := s.fits(handle, 0, true); err != nil {
		return f, err
	}
	w, err := s.create(handle)
	if err != nil {
		return f, err
	}
	defer w.drop()
	head, err := w.take(ctx, io.LimitReader(content, s.Rules.MaxSize+1))
	switch {
	case err != nil:
		return f, err
	case w.size == 0:
		return f, &Refusal{"it is empty"}
	case w.size > s.Rules.MaxSize:
		return f, &Refusal{fmt.Sprintf("it is larger than %d bytes", s.Rules.MaxSize)}
	}
	if f.MIME, err = s.Rules.judge(f.MIME, head); err != nil {
		return f, err
	}
	if err := s.Rules.scan(ctx, &reader{s: s, ctx: ctx, handle: handle, file: w.file, size: w.size}); err != nil {
		return f, err
	}
	f.Kind, f.Blob, f.URL, f.Size, f.Name = kindOf(f.MIME), handle, "", w.size, safeName(f.Name, f.MIME)
	return f, w.finish(ctx, f)
}

// writer writes one file, which stands under another name until it is whole.
type writer struct {
	s      *Store
	handle string
	file   *os.File
	size   int64
	pieces int64
}

func (s *Store) create(handle string) (*writer, error) {
	dir := filepath.Dir(s.path(handle))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of files: %w", err)
	}
	if err := s.Room(dir); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(dir, "*"+unready)
	if err != nil {
		return nil, fmt.Errorf("make a file: %w", err)
	}
	return &writer{s: s, handle: handle, file: file}, nil
}

// take seals the content piece by piece and gives back how it begins.
func (w *writer) take(ctx context.Context, content io.Reader) (head []byte, err error) {
	buf := make([]byte, piece)
	for {
		n, err := fill(content, buf)
		if n > 0 {
			if head == nil {
				head = append(head, buf[:min(n, 512)]...)
			}
			if err := w.write(ctx, w.pieces, buf[:n]); err != nil {
				return nil, err
			}
			w.pieces++
			w.size += int64(n)
		}
		switch {
		case errors.Is(err, io.EOF):
			return head, nil
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrCut, err)
		}
	}
}

// fill reads until there is no room or no more. Unlike io.ReadFull it leaves the
// reader's own io.ErrUnexpectedEOF, which says that the file was cut off, apart
// from its end.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	return n, err
}

func (w *writer) write(ctx context.Context, at int64, plain []byte) error {
	sealed, err := w.s.Vault.SealBlob(ctx, conversationOf(w.handle), row(w.handle, at), plain)
	if err == nil {
		_, err = w.file.Write(sealed)
	}
	if at == factsRow && err == nil {
		_, err = w.file.Write(binary.BigEndian.AppendUint32(nil, uint32(len(sealed)))) //nolint:gosec // facts are short.
	}
	return err
}

// finish adds what is known of the file, has it on disk, and gives it its name.
func (w *writer) finish(ctx context.Context, f File) error {
	facts, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if err := w.write(ctx, factsRow, facts); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return fmt.Errorf("sync a file: %w", err)
	}
	if err := w.name(f); err != nil {
		return err
	}
	return syncDirs(filepath.Dir(w.s.path(w.handle)), w.s.Dir)
}

// name gives the file its name if there is room for it now that its size is known.
// That a file is not here is kept in any case.
func (w *writer) name(f File) error {
	w.s.naming.Lock()
	defer w.s.naming.Unlock()
	if f.Refused == "" && !f.Kept {
		if err := w.s.fits(w.handle, w.size, false); err != nil {
			return err
		}
	}
	if err := os.Rename(w.file.Name(), w.s.path(w.handle)); err != nil {
		return fmt.Errorf("name a file: %w", err)
	}
	return nil
}

// drop takes away what did not become a file.
func (w *writer) drop() {
	_ = w.file.Close()
	_ = os.Remove(w.file.Name())
}

func syncDirs(dirs ...string) error {
	for _, dir := range dirs {
		d, err := os.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return fmt.Errorf("sync folder of files: %w", err)
		}
	}
	return nil
}

// open opens a kept file. The caller closes the reader, which is nil where there
// is no content.
func (s *Store) open(ctx context.Context, handle string) (File, *reader, error) {
	if conversationOf(handle) == "" {
		return File{}, nil, ErrNotFound
	}
	file, err := os.Open(s.path(handle))
	if errors.Is(err, fs.ErrNotExist) {
		// Whether it was, and is erased, the key tells.
		if _, err := s.Vault.SealBlob(ctx, conversationOf(handle), handle, nil); errors.Is(err, journal.ErrErased) {
			return File{}, nil, err
		}
		return File{}, nil, ErrNotFound
	}
	if err != nil {
		return File{}, nil, err
	}
	f, err := s.facts(ctx, handle, file)
	if err != nil {
		_ = file.Close()
		return File{}, nil, err
	}
	return f, &reader{s: s, ctx: ctx, handle: handle, file: file, size: f.Size}, nil
}

// facts reads what is known of a file from its end.
func (s *Store) facts(ctx context.Context, handle string, file *os.File) (File, error) {
	info, err := file.Stat()
	if err != nil {
		return File{}, err
	}
	var length [4]byte
	if _, err := file.ReadAt(length[:], info.Size()-4); err != nil {
		return File{}, journal.ErrDamaged
	}
	n := int64(binary.BigEndian.Uint32(length[:]))
	if n > maxFacts || n > info.Size()-4 {
		return File{}, journal.ErrDamaged
	}
	sealed := make([]byte, n)
	if _, err := file.ReadAt(sealed, info.Size()-4-n); err != nil {
		return File{}, journal.ErrDamaged
	}
	plain, err := s.Vault.OpenBlob(ctx, conversationOf(handle), row(handle, factsRow), sealed)
	if err != nil {
		return File{}, err
	}
	var f File
	if err := json.Unmarshal(plain, &f); err != nil {
		return File{}, journal.ErrDamaged
	}
	return f, nil
}

// Describe says what is known of a kept file. ErrNotFound, journal.ErrErased and
// journal.ErrDamaged say that it is not to be had.
func (s *Store) Describe(ctx context.Context, handle string) (File, error) {
	f, r, err := s.open(ctx, handle)
	if r != nil {
		_ = r.Close()
	}
	return f, err
}

// reader reads a kept file from anywhere in it.
type reader struct {
	s      *Store
	ctx    context.Context
	handle string
	file   *os.File
	size   int64
	at     int64

	plain []byte // of piece number held-1
	held  int64
}

// Read reads on from where the reader is.
func (r *reader) Read(p []byte) (int, error) {
	if r.at >= r.size {
		return 0, io.EOF
	}
	number := r.at / piece
	if r.held != number+1 {
		sealed := make([]byte, min(piece, r.size-number*piece)+sealExtra)
		if _, err := r.file.ReadAt(sealed, number*(piece+sealExtra)); err != nil {
			return 0, journal.ErrDamaged
		}
		plain, err := r.s.Vault.OpenBlob(r.ctx, conversationOf(r.handle), row(r.handle, number), sealed)
		if err != nil {
			return 0, err
		}
		r.plain, r.held = plain, number+1
	}
	n := copy(p, r.plain[r.at%piece:])
	r.at += int64(n)
	return n, nil
}

// Seek moves the reader.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	from := map[int]int64{io.SeekStart: 0, io.SeekCurrent: r.at, io.SeekEnd: r.size}
	if to := from[whence] + offset; to >= 0 {
		r.at = to
		return to, nil
	}
	return 0, errors.New("seek before the beginning of a file")
}

// Close lets the file go.
func (r *reader) Close() error { return r.file.Close() }
