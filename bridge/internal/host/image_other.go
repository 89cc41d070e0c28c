//go:build !linux

package host

import "os"

// seal makes the image of an executable: a copy in runDir.
func seal(in *os.File, runDir, name string) (*image, string, error) {
	return copyExecutable(in, runDir, name)
}
