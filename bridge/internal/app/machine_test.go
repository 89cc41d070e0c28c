package app

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestListenMends: each way in which an address cannot be had has its own mend.
func TestListenMends(t *testing.T) {
	taken, err := listen("127.0.0.1:0", "[server] listen")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, inUse := listen(taken.Addr().String(), "[server] listen")
	_, elsewhere := listen("192.0.2.1:0", "[server] listen")
	for want, err := range map[string]error{"stop the program that has it": inUse, "an address of this host": elsewhere} {
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "[server] listen") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	refused := &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EACCES)}
	if got := listenMend(refused); !strings.Contains(got, "from 1024 on") {
		t.Errorf("a port of the system's: %s", got)
	}
}

// TestRoom: a disk that is about to be full is a fault before the journal ends for it.
func TestRoom(t *testing.T) {
	for free, want := range map[int64]string{
		0: FindingFault, leastFree - 1: FindingFault, leastFree: FindingWarning, wantFree - 1: FindingWarning, wantFree: FindingGood,
	} {
		d := &Diagnosis{}
		d.room("/data", free)
		if f := d.Findings[0]; f.State != want || (f.Mend == "") != (want == FindingGood) {
			t.Errorf("%d bytes: %+v, want %s", free, f, want)
		}
	}
}
