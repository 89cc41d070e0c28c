package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// read opens a file and reads a little of it.
func read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Read(make([]byte, 16))
	return err
}

func reads(path string) func(targets) error { return func(targets) error { return read(path) } }

func opens(path string, flags int) func(targets) error {
	return func(targets) error { return open(path, flags) }
}

func open(path string, flags int) error {
	f, err := os.OpenFile(path, flags|unix.O_NONBLOCK|unix.O_NOCTTY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func list(path string) error { _, err := os.ReadDir(path); return err }

// of is a file of another process in /proc.
func of(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }

func files() []attempt {
	return []attempt{
		{"read /etc/passwd", "", reads("/etc/passwd")},
		{"read /etc/shadow", needsRoot, reads("/etc/shadow")},
		{"read the journal's key", "", func(t targets) error { return read(t.Canary) }},
		{"read it by another way there", "", func(t targets) error { return read("/proc/self/root" + t.Canary) }},
		{"list the root folder", "", func(targets) error { return list("/") }},
		{"list the journal's folder", "", func(t targets) error { return list(t.Folder) }},
		{"list the sockets of the other plugins", "", func(t targets) error { return list(t.RunDir) }},
		{"list processes", "", func(targets) error { return list("/proc") }},
		{"read another's environment", "", func(t targets) error { return read(of(t.Other, "environ")) }},
		{"read the bridge's environment", "", func(t targets) error { return read(of(t.Bridge, "environ")) }},
		{"open the bridge's memory", needsKernel, func(t targets) error { return open(of(t.Bridge, "mem"), os.O_RDONLY) }},
		{"read the bridge's maps", "", func(t targets) error { return read(of(t.Bridge, "maps")) }},
		{"read the bridge's command line", "", func(t targets) error { return read(of(t.Bridge, "cmdline")) }},
		{"list the bridge's files", "", func(t targets) error { return list(of(t.Bridge, "fd")) }},
		{"go through the bridge's root", "", func(t targets) error { return read(of(t.Bridge, "root") + t.Canary) }},
		{"read the bridge's executable", "", func(t targets) error { return read(of(t.Bridge, "exe")) }},
		{"read the plugin as installed", "", func(t targets) error { return read(t.Plugin) }},
		{"read the kernel's memory", needsKernel, reads("/proc/kcore")},
		{"read the kernel's symbols", needsKernel, reads("/proc/kallsyms")},
		{"read what the machine is", "", reads("/proc/cpuinfo")},
		{"read the mounts", "", reads("/proc/self/mountinfo")},
		{"list the machine's devices", "", func(targets) error { return list("/sys/class") }},
		{"read the kernel's settings", "", reads("/proc/sys/kernel/osrelease")},
		{"open /dev/mem", needsKernel, opens("/dev/mem", os.O_RDONLY)},
		{"open /dev/kmsg", needsRoot, opens("/dev/kmsg", os.O_RDONLY)},
		{"open a terminal", needsKernel, opens("/dev/ptmx", os.O_RDWR)},
		{"open the console", needsKernel, opens("/dev/console", os.O_RDONLY)},
		{"list shared memory", "", func(targets) error { return list("/dev/shm") }},
		{"open a file by its handle", needsRoot, byHandle},
		{"watch the journal's folder", "", func(t targets) error { return watch(t.Folder) }},
		{"watch every file", needsRoot, func(targets) error {
			fd, err := unix.FanotifyInit(unix.FAN_CLASS_NOTIF, unix.O_RDONLY)
			return errors.Join(err, closeFile(fd))
		}},
	}
}

func closeFile(fd int) error {
	if fd < 0 {
		return nil
	}
	return unix.Close(fd)
}

func byHandle(t targets) error {
	handle, _, err := unix.NameToHandleAt(unix.AT_FDCWD, t.Canary, 0)
	if err != nil {
		return err
	}
	root, err := unix.Open(t.Folder, unix.O_RDONLY, 0)
	if err != nil {
		return err
	}
	fd, err := unix.OpenByHandleAt(root, handle, unix.O_RDONLY)
	return errors.Join(err, closeFile(fd), closeFile(root))
}

func watch(folder string) error {
	fd, err := unix.InotifyInit1(0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.InotifyAddWatch(fd, folder, unix.IN_ALL_EVENTS)
	return err
}

// create makes a file with something in it and takes it away again.
func create(path string) error {
	return errors.Join(os.WriteFile(path, []byte("hostile"), 0o600), os.Remove(path))
}

// made gives what was made back after it was.
func made(err error, path string) error {
	if err == nil {
		err = os.Remove(path)
	}
	return err
}

func writes() []attempt {
	temp := filepath.Join(os.TempDir(), "hostile")
	return []attempt{
		{"write to /tmp", "", func(targets) error { return create(temp) }},
		{"write to shared memory", "", func(targets) error { return create("/dev/shm/hostile") }},
		{"write beside the journal", "", func(t targets) error { return create(t.Folder + "/hostile") }},
		{"write to the working folder", needsRoot, func(targets) error { return create("hostile") }},
		{"make an empty file there", needsRoot, func(targets) error { return made(open("hostile", os.O_CREATE|os.O_WRONLY), "hostile") }},
		{"make a link there", needsRoot, func(targets) error { return made(os.Symlink("/etc/passwd", "hostile"), "hostile") }},
		{"open the journal's key for writing", "", func(t targets) error { return open(t.Canary, os.O_RDWR) }},
		{"open the plugin as installed for writing", "", func(t targets) error { return open(t.Plugin, os.O_WRONLY) }},
		{"open the running image for writing", denied, writeImage},
		{"make a link in /tmp", "", func(targets) error { return made(os.Symlink("/etc/passwd", temp), temp) }},
		{"make a hard link to the journal's key", "", func(t targets) error { return made(os.Link(t.Canary, t.Folder+"/hostile"), t.Folder+"/hostile") }},
		{"rename the journal's key", "", func(t targets) error {
			return errors.Join(os.Rename(t.Canary, t.Canary+"2"), os.Rename(t.Canary+"2", t.Canary))
		}},
		{"remove a file", "", func(t targets) error {
			return errors.Join(os.Remove(t.Canary+".spare"), open(t.Canary+".spare", os.O_CREATE))
		}},
		{"make a folder", "", func(targets) error { return made(os.Mkdir(temp, 0o700), temp) }},
		{"make a pipe", "", func(targets) error { return made(unix.Mkfifo(temp, 0o600), temp) }},
		{"make a device", needsRoot, func(targets) error { return made(unix.Mknod(temp, unix.S_IFBLK|0o600, 0xfe00), temp) }},
		{"cut the journal's key", "", func(t targets) error { return os.Truncate(t.Canary, 6) }},
		{"open the journal's key to everybody", "", func(t targets) error { return os.Chmod(t.Canary, 0o600) }},
		{"give the journal's key away", "", func(t targets) error { return os.Lchown(t.Canary, -1, -1) }},
		{"date the journal's key back", "", func(t targets) error { return unix.UtimesNanoAt(unix.AT_FDCWD, t.Canary, make([]unix.Timespec, 2), 0) }},
		{"mark the journal's key", needsKernel, func(t targets) error { return unix.Setxattr(t.Canary, "user.hostile", []byte("x"), 0) }},
		{"write a core", needsKernel, func(targets) error { return open("/proc/sys/kernel/core_pattern", os.O_WRONLY) }},
	}
}

// writeImage tries to change the program that runs, which is sealed: what opens
// takes no byte.
func writeImage(targets) error {
	f, err := os.OpenFile("/proc/self/exe", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt([]byte{0}, 0)
	return err
}
