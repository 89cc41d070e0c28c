package app

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/footbridge/footbridge/bridge/internal/config"
)

// issue writes a certificate of that number and its key, each in place of what is
// there, the certificate first.
func issue(t *testing.T, files config.TLS, number int64) (write func(name string)) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := x509.Certificate{SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: "bridge"}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, &form, &form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	content := map[string][]byte{files.Cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), files.Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})}
	return func(name string) {
		if err := errors.Join(os.WriteFile(name+".next", content[name], 0o600), os.Rename(name+".next", name)); err != nil {
			t.Fatal(err)
		}
	}
}

// secured serves "hello" with TLS.
func secured(t *testing.T, files config.TLS) (*doors, string) {
	t.Helper()
	first, err := certificateOf(&config.Config{Server: config.Server{TLS: files}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &doors{}
	d.certificate.Store(first)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	go func() { _ = s.Serve(d.encrypted(l)) }()
	t.Cleanup(func() { _ = s.Close() })
	return d, l.Addr().String()
}

// caller is one connection that stays; number is that of the certificate it saw.
type caller struct {
	*tls.Conn
	number int64
}

func dialled(t *testing.T, address string) caller {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return caller{c, c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()}
}

func (c caller) asks(t *testing.T) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatalf("a connection of certificate %d: %v", c.number, err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("a connection of certificate %d: %v", c.number, err)
	}
	_ = resp.Body.Close()
}

// TestCertificateRenewed replaces the files on disk: connections that are there
// stay, new ones see the new certificate, and files that cannot be used change
// nothing and are told once.
func TestCertificateRenewed(t *testing.T) {
	dir := t.TempDir()
	files := config.TLS{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}
	one, two := issue(t, files, 1), issue(t, files, 2)
	one(files.Cert)
	one(files.Key)
	d, address := secured(t, files)
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	old := dialled(t, address)
	old.asks(t)
	refused := d.renew(logger, stamp{})
	if d.certificate.Load().Leaf.SerialNumber.Int64() != 1 || log.Len() != 0 {
		t.Fatalf("nothing changed, and yet: %s", &log)
	}
	two(files.Cert) // its key is still to come
	for range 3 {
		refused = d.renew(logger, refused)
	}
	if strings.Count(log.String(), "not renewed") != 1 || strings.Contains(log.String(), "PRIVATE") {
		t.Errorf("the log says %s", &log)
	}
	if c := dialled(t, address); c.number != 1 {
		t.Errorf("with half a pair new connections see %d", c.number)
	}
	two(files.Key)
	refused = d.renew(logger, refused)
	if c := dialled(t, address); c.number != 2 || refused != (stamp{}) {
		t.Errorf("new connections see %d: %s", c.number, &log)
	}
	old.asks(t)
	if old.number != 1 {
		t.Errorf("the first connection saw %d", old.number)
	}
}

// Old versions of TLS are refused.
func TestTLSVersions(t *testing.T) {
	dir := t.TempDir()
	files := config.TLS{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key")}
	write := issue(t, files, 1)
	write(files.Cert)
	write(files.Key)
	_, address := secured(t, files)
	for version, good := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
		if (err == nil) != good {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			_ = c.Close()
		}
	}
}

func TestLimitsOfTheListener(t *testing.T) {
	a := &App{log: slog.New(slog.DiscardHandler)}
	s := a.server(nil)
	if s.MaxHeaderBytes+4096 != 16<<10 || s.ReadHeaderTimeout != 5*time.Second {
		t.Errorf("header %d bytes in %s", s.MaxHeaderBytes, s.ReadHeaderTimeout)
	}
	c := config.Defaults()
	if rates(c).Peer != 200 || rates(c).Account != 1000 || connections(c).Total != 10000 || connections(c).Peer != 256 {
		t.Errorf("%+v %+v", rates(c), connections(c))
	}
}
