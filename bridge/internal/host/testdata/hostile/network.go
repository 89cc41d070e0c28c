package main

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

func dial(network, address string) error {
	c, err := net.DialTimeout(network, address, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte("secret"))
	return err
}

func listen(network, address string) error {
	l, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	return l.Close()
}

// socket opens a socket of any kind.
func socket(domain, kind, protocol int) func(targets) error {
	return func(targets) error {
		fd, err := unix.Socket(domain, kind, protocol)
		if err != nil {
			return err
		}
		return unix.Close(fd)
	}
}

func network() []attempt {
	return []attempt{
		{"dial TCP", "", func(t targets) error { return dial("tcp", t.TCP) }},
		{"listen on TCP", "", func(targets) error { return listen("tcp", "127.0.0.1:0") }},
		{"listen on TCP, IPv6", needsKernel, func(targets) error { return listen("tcp6", "[::1]:0") }},
		{"send UDP", "", func(t targets) error { return dial("udp", t.UDP) }},
		{"ask a name server", "", resolve},
		{"listen on UDP", "", func(targets) error {
			c, err := net.ListenPacket("udp", "127.0.0.1:0")
			return errors.Join(err, closeConn(c))
		}},
		{"open a raw IP socket", needsRoot, socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_TCP)},
		{"open a raw ICMP socket", needsRoot, socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)},
		{"open a ping socket", needsKernel, socket(unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP)},
		{"open a packet socket", needsRoot, socket(unix.AF_PACKET, unix.SOCK_RAW, 0)},
		{"ask netlink for routes", "", socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)},
		{"listen to the kernel's events", "", socket(unix.AF_NETLINK, unix.SOCK_DGRAM, unix.NETLINK_KOBJECT_UEVENT)},
		{"open a vsock", needsKernel, socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)},
		{"open the kernel's cipher sockets", needsKernel, socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0)},
		{"open an SCTP socket", needsKernel, socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP)},
		{"dial an abstract socket", "", func(t targets) error { return dial("unix", "@"+t.Abstract) }},
		{"dial a socket by its path", "", func(t targets) error { return dial("unix", t.Path) }},
		{"send to a datagram socket by its path", "", func(t targets) error { return dial("unixgram", t.Datagram) }},
		{"send to a datagram socket from one of a pair", "", pairSend},
		{"listen at a path in /tmp", "", func(targets) error { return listen("unix", os.TempDir()+"/hostile.sock") }},
		{"listen beside the canary", "", func(t targets) error { return listen("unix", t.Folder+"/hostile.sock") }},
	}
}

func closeConn(c net.PacketConn) error {
	if c == nil {
		return nil
	}
	return c.Close()
}

// resolve asks the test's listener for a name that carries something out.
func resolve(t targets) error {
	reached := errors.New("it was not asked")
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, "udp", t.UDP)
		if reached != nil {
			reached = err
		}
		return c, err
	}}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, _ = r.LookupHost(ctx, "secret.example.")
	return reached
}

// pairSend addresses a datagram out of a pair of sockets, which needs no connect.
func pairSend(t targets) error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(pair[0]); _ = unix.Close(pair[1]) }()
	return unix.Sendto(pair[0], []byte("secret"), 0, &unix.SockaddrUnix{Name: t.Datagram})
}
