// Package config reads the settings of one process: a TOML file, overridden by environment variables.
//
// A file is either wholly good or refused: every mistake is found in one reading and told with file, line, key and
// mend, nothing is coerced, and nothing unknown is skipped. Secrets never stand in the file, only references to
// them, and no complaint repeats what stood where a reference belongs. What a key means, its default and its limits
// are said once, on the structs; config.example.toml at the root of the repository is tested against them.
package config

import (
	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
)

// Load reads the file at path and applies the overrides in environ (as of os.Environ). Call it at start and again on
// a reload; it keeps nothing between calls and may be called from several goroutines.
//
// The error, when there is one, is an *Error with every problem found, and the Config is then nil: keep the one in
// force. Warnings are given in both cases. The file must be a regular file of at most 1 MiB; secrets named in it
// are not resolved and files it names are not opened.
func Load(path string, environ []string) (*Config, []Warning, error) {
	data, problem := read(path)
	if problem != nil {
		return nil, nil, &Error{Problems: []Problem{*problem}}
	}
	return Parse(path, data, environ)
}

// Parse is Load for bytes already read; name stands for the file in problems.
func Parse(name string, data []byte, environ []string) (*Config, []Warning, error) {
	found := &findings{where: locator{file: name, overrides: map[string]string{}}}
	raw := readTree(name, data, environ, found)
	if raw == nil {
		return nil, nil, found.err()
	}
	cfg := Defaults()
	cfg.where = found.where
	decode(raw, cfg, found)
	check(cfg, found)
	if err := found.err(); err != nil {
		return nil, found.warnings, err
	}
	return cfg, found.warnings, nil
}

// readTree gives the file's values with the environment's laid over them, or nil when the bytes are not TOML at all.
func readTree(name string, data []byte, environ []string, found *findings) map[string]any {
	if problem := inspect(name, data); problem != nil {
		found.problems = append(found.problems, *problem)
		return nil
	}
	lines, problem := locate(name, data)
	if problem != nil {
		found.problems = append(found.problems, *problem)
		return nil
	}
	found.where.lines = lines
	tree := koanf.New(".")
	if err := tree.Load(rawbytes.Provider(data), toml.Parser()); err != nil {
		found.problems = append(found.problems, syntaxProblem(name, data, err))
		return nil
	}
	over := overrides(tree.Raw(), environ, found)
	if err := tree.Load(confmap.Provider(over, ""), nil); err != nil {
		found.problem("", "environment overrides cannot be applied: "+err.Error(), "")
		return nil
	}
	return tree.Raw()
}
