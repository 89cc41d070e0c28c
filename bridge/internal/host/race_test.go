//go:build race

package host

// detector says that plugins of these tests run under the race detector. What it keeps
// counts as theirs: in less than its gigabyte one of some forty does not start.
const detector = true
