package credential

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	masterName = "master.key"
	keyBytes   = 32

	sealVersion = 1 // first byte of everything sealed
	wrapContext = "footbridge data key"
)

// Keyring holds the master key. It wraps the data keys that seal stored bodies, and derives keys for other uses. All
// methods may be called from many goroutines.
type Keyring struct {
	root []byte // pseudorandom key extracted from the master key
	wrap DataKey
}

// OpenKeyring reads the master key from the file master.key in dir. At the first start it makes both, and has the key on
// disk before it returns. A key file that others could read is refused, and so is one that is damaged: without the right
// key nothing sealed can be read again.
func OpenKeyring(dir string) (*Keyring, error) {
	path := filepath.Join(dir, masterName)
	master, err := readMaster(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeMaster(dir, path); err == nil {
			master, err = readMaster(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return newKeyring(master)
}

func newKeyring(master []byte) (*Keyring, error) {
	root, err := hkdf.Extract(sha256.New, master, []byte("footbridge master key"))
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	key, err := hkdf.Expand(sha256.New, root, "wrap", keyBytes)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	wrap, err := newDataKey(key)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return &Keyring{root, wrap}, nil
}

func readMaster(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode(); !mode.IsRegular() || mode.Perm()&^0o600 != 0 {
		return nil, fmt.Errorf("%s has mode %s: it must be a file of mode 0600, run chmod 600 on it", path, mode)
	}
	master, err := io.ReadAll(io.LimitReader(f, keyBytes+1))
	if err == nil && len(master) != keyBytes {
		err = fmt.Errorf("%s is damaged (not %d bytes): put it back from the backup", path, keyBytes)
	}
	return master, err
}

// makeMaster writes a whole, synced key under another name and then links it, so that no crash leaves half a key and of
// two programs that start at once both use the same one.
func makeMaster(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, masterName+".*.new") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := writeMaster(f); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

func writeMaster(f *os.File) error {
	master := make([]byte, keyBytes)
	_, _ = rand.Read(master) // never fails: it ends the program instead
	_, err := f.Write(master)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// NewKey makes a data key, and its wrapped form to be stored. Destroying every copy of the wrapped form makes all that
// the key has sealed unreadable for ever.
func (k *Keyring) NewKey() (DataKey, []byte, error) {
	raw := make([]byte, keyBytes)
	_, _ = rand.Read(raw)
	key, err := newDataKey(raw)
	if err != nil {
		return DataKey{}, nil, fmt.Errorf("new data key: %w", err)
	}
	return key, k.wrap.Seal(raw, []byte(wrapContext)), nil
}

// Unwrap gives back the data key of a wrapped form, or an error if it is damaged or was wrapped under another master key.
func (k *Keyring) Unwrap(wrapped []byte) (DataKey, error) {
	raw, err := k.wrap.Open(wrapped, []byte(wrapContext))
	if err != nil {
		return DataKey{}, fmt.Errorf("unwrap data key: %w: it is damaged, or %s is not the one it was made under", err, masterName)
	}
	key, err := newDataKey(raw)
	if err != nil {
		return DataKey{}, fmt.Errorf("unwrap data key: %w", err)
	}
	return key, nil
}

// Derive returns 32 bytes that depend on the master key and the label alone: the key for one use, such as placeholders
// or the tokens of conversations. The same label gives the same key after a restart.
func (k *Keyring) Derive(label string) []byte {
	key, err := hkdf.Expand(sha256.New, k.root, "derive "+label, keyBytes)
	if err != nil || len(key) != keyBytes {
		key = make([]byte, keyBytes) // cannot happen for this length; a key that nobody knows fails closed
		_, _ = rand.Read(key)
	}
	return key
}

// String returns Mask.
func (k *Keyring) String() string { return Mask }

// Format writes Mask for every verb.
func (k *Keyring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Mask) }

// DataKey seals and opens with AES-256-GCM under random nonces. It comes from a Keyring; the zero DataKey seals nothing
// and must not be used. It is good for 2^32 seals, far more than a conversation has, and for many goroutines.
type DataKey struct{ aead cipher.AEAD }

func newDataKey(raw []byte) (DataKey, error) {
	block, err := aes.NewCipher(raw)
	if err != nil {
		return DataKey{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return DataKey{}, err
	}
	return DataKey{aead}, nil
}

// Seal encrypts plain. What aad says (the row it belongs to) is not stored, but Open must be given the same.
func (d DataKey) Seal(plain, aad []byte) []byte {
	sealed := make([]byte, 1, 1+len(plain)+d.aead.Overhead())
	sealed[0] = sealVersion
	return d.aead.Seal(sealed, nil, plain, aad)
}

// Open decrypts what Seal made with the same key and aad, or returns an error: then it was damaged, moved or is of
// another key, and no part of it is given out.
func (d DataKey) Open(sealed, aad []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealVersion {
		return nil, errors.New("open sealed data: not sealed by this version")
	}
	plain, err := d.aead.Open(nil, nil, sealed[1:], aad)
	if err != nil {
		return nil, fmt.Errorf("open sealed data: %w", err)
	}
	return plain, nil
}

// String returns Mask.
func (d DataKey) String() string { return Mask }

// Format writes Mask for every verb.
func (d DataKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Mask) }
