package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// readers is how many readings go on at a time.
const readers = 4

//go:embed schema/*.sql
var schemaFiles embed.FS

//nolint:gochecknoglobals // tables that are never written.
var (
	sharedPragmas = []string{"busy_timeout(5000)", "foreign_keys(1)", "temp_store(MEMORY)",
		"trusted_schema(0)", "cell_size_check(1)"}
	writerPragmas = append(slices.Clone(sharedPragmas), "journal_mode(WAL)", "synchronous(FULL)",
		"fullfsync(1)", "checkpoint_fullfsync(1)", "wal_autocheckpoint(0)", "journal_size_limit(67108864)",
		"secure_delete(1)", "cache_size(-32768)")
	readerPragmas = append(slices.Clone(sharedPragmas), "query_only(1)", "synchronous(FULL)",
		"checkpoint_fullfsync(1)", "wal_autocheckpoint(0)", "cache_size(-8192)")
)

func openPool(path string, pragmas []string, size int) (*sql.DB, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	address := url.URL{Scheme: "file", Path: absolute, RawQuery: url.Values{"_pragma": pragmas}.Encode()}
	db, err := sql.Open("sqlite", address.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// checkDurable sees that the database took the settings every promise rests on.
func checkDurable(ctx context.Context, db *sql.DB) error {
	var mode string
	var synchronous, foreign int
	for pragma, into := range map[string]any{"journal_mode": &mode, "synchronous": &synchronous, "foreign_keys": &foreign} {
		if err := db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(into); err != nil {
			return fmt.Errorf("read %s: %w", pragma, err)
		}
	}
	if mode != "wal" || synchronous != 2 || foreign != 1 {
		return fmt.Errorf("database would not be durable (journal_mode %s, synchronous %d, foreign_keys %d): "+
			"move [journal] dir to an ordinary local file system", mode, synchronous, foreign)
	}
	return nil
}

// migration is one step of the schema, forwards.
type migration struct {
	number int64
	name   string
	sql    string
}

// migrations lists the steps this program knows, in order, from the files
// NNNN_name.sql. Files that were released are never changed.
func migrations() []migration {
	files, _ := fs.Glob(schemaFiles, "schema/*.sql") // the pattern is well formed.
	steps := make([]migration, 0, len(files))
	for _, file := range files {
		text, _ := schemaFiles.ReadFile(file) // embedded files are always there.
		digits, name, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".sql"), "_")
		number, _ := strconv.ParseInt(digits, 10, 64) // a test reads the names.
		steps = append(steps, migration{number: number, name: name, sql: string(text)})
	}
	return steps
}

// migrate brings the schema up to the last step, each step in a transaction of
// its own, and refuses a schema with steps this program does not know.
func migrate(ctx context.Context, db *sql.DB, steps []migration) error {
	const table = `CREATE TABLE IF NOT EXISTS migrations (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL)`
	if _, err := db.ExecContext(ctx, table); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	var have int64
	if err := db.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) FROM migrations`).Scan(&have); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	known := steps[len(steps)-1].number
	if have > known {
		return fmt.Errorf("written by a newer program (schema %d, this program knows up to %d): "+
			"start that program's version or a later one", have, known)
	}
	for _, step := range steps {
		if step.number <= have {
			continue
		}
		if err := step.apply(ctx, db); err != nil {
			return fmt.Errorf("bring schema to %04d_%s: %w", step.number, step.name, err)
		}
	}
	return nil
}

func (m migration) apply(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // does nothing after Commit.
	if _, err := tx.ExecContext(ctx, m.sql); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO migrations (number, name) VALUES (?, ?)`, m.number, m.name); err != nil {
		return err
	}
	return tx.Commit()
}

// checkMaster sees that the master key is the one the journal was made with.
func checkMaster(ctx context.Context, db *sql.DB, v *vault) error {
	var wrapped []byte
	err := db.QueryRowContext(ctx, `SELECT wrapped FROM master_checks`).Scan(&wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return storeMasterCheck(ctx, db, v)
	}
	if err != nil {
		return fmt.Errorf("read master key check: %w", err)
	}
	if _, err := v.unwrap(wrapped); err != nil {
		return fmt.Errorf("the master key is not the one this journal was made with: put that key back: %w", err)
	}
	return nil
}

func storeMasterCheck(ctx context.Context, db *sql.DB, v *vault) error {
	_, wrapped, err := v.make()
	if err != nil {
		return fmt.Errorf("make master key check: %w", err)
	}
	if _, err := db.ExecContext(ctx, `INSERT INTO master_checks (wrapped) VALUES (?)`, wrapped); err != nil {
		return fmt.Errorf("store master key check: %w", err)
	}
	return nil
}
