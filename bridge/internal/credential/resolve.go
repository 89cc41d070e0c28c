package credential

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// maxFile bounds a secret file, in bytes.
const maxFile = 16 << 10

// ErrUnset is returned by Resolve for an environment variable that is unset or empty: the account that needs it is
// unconfigured, and the rest runs.
var ErrUnset = errors.New("is not set")

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// sources are the ways to refer to a secret, by the word before the colon.
//
//nolint:gochecknoglobals // a table that is never written.
var sources = [...]struct {
	prefix string
	read   func(rest string, env func(string) (string, bool)) (string, error)
}{
	{"env:", fromEnvironment},
	{"file:", fromFile},
}

// Resolve reads the secret that a reference names: env:NAME or file:PATH. env is os.LookupEnv, or a table in tests. An
// error says what to mend; it never holds the value, nor the reference where that may be a value pasted by mistake.
func Resolve(ref string, env func(string) (string, bool)) (Secret, error) {
	for _, s := range sources {
		if rest, ok := strings.CutPrefix(ref, s.prefix); ok {
			value, err := s.read(rest, env)
			if err != nil {
				return Secret{}, err
			}
			return NewSecret(value), nil
		}
	}
	return Secret{}, errors.New("not a reference to a secret: write env:NAME or file:PATH")
}

func fromEnvironment(name string, env func(string) (string, bool)) (string, error) {
	if !variableName.MatchString(name) {
		return "", errors.New("not the name of an environment variable: write env:NAME with letters, digits and _, or file:PATH")
	}
	value, _ := env(name)
	if value == "" {
		return "", fmt.Errorf("environment variable %s %w: set it and start again", name, ErrUnset)
	}
	return value, nil
}

func fromFile(path string, _ func(string) (string, bool)) (string, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("secret file %s is not a regular file: name a file that holds the secret", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("secret file: %w: make it, or correct the path", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("secret file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return "", fmt.Errorf("secret file %s has mode %04o, so that others may use it: run chmod 600 on it", path, mode)
	}
	return readSecret(f, path)
}

func readSecret(f io.Reader, path string) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", fmt.Errorf("secret file: %w", err)
	}
	if len(raw) > maxFile {
		return "", fmt.Errorf("secret file %s is over %d bytes: name a file that holds the secret alone", path, maxFile)
	}
	value := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	if value == "" {
		return "", fmt.Errorf("secret file %s is empty: write the secret into it", path)
	}
	return value, nil
}
