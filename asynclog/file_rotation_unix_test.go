//go:build unix

package asynclog

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	st, err := os.Stat(path)
	require.NoError(t, err)
	return st.Mode().Perm()
}

func TestFileKeepsTheMode(t *testing.T) {
	for _, perm := range []os.FileMode{0o600, 0o640, 0o666, 0o644} {
		f, path := openFile(t)
		require.NoError(t, os.Chmod(path, perm))
		write(t, f, "one\n")
		require.NoError(t, os.Rename(path, path+".1"))
		write(t, f, "two\n")
		require.Equal(t, perm, mode(t, path))
		require.NoError(t, os.Remove(path))
		require.NoError(t, f.Reopen())
		require.Equal(t, perm, mode(t, path))
	}
}

// A change that no Write has seen, and one that was made to the rotated file.
func TestFileTakesTheStricterMode(t *testing.T) {
	f, path := openFile(t)
	require.NoError(t, os.Chmod(path, 0o600))
	require.NoError(t, os.Rename(path, path+".1"))
	write(t, f, "one\n")
	require.Equal(t, os.FileMode(0o600), mode(t, path))
	require.NoError(t, os.Rename(path, path+".2"))
	require.NoError(t, os.Chmod(path+".2", 0o644))
	write(t, f, "two\n")
	require.Equal(t, os.FileMode(0o600), mode(t, path))
}

func TestFileKeepsTheModeOfAFileMadeByAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	f, err := OpenFile(path, FileOptions{})
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	write(t, f, "x\n") // the first one
	require.Equal(t, os.FileMode(0o600), mode(t, path))
	require.NoError(t, f.Close())
}

func TestFilePermDecidesIfItIsGiven(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	f, err := OpenFile(path, FileOptions{Perm: 0o640})
	require.NoError(t, err)
	write(t, f, "x\n")
	require.Equal(t, os.FileMode(0o600), mode(t, path), "it is not created")
	require.NoError(t, os.Remove(path))
	write(t, f, "x\n")
	require.Equal(t, os.FileMode(0o640), mode(t, path))
	require.NoError(t, f.Close())
}

func TestFileKeepsTheOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a file away")
	}
	f, path := openFile(t)
	require.NoError(t, os.Chown(path, 65534, 1))
	write(t, f, "one\n")
	require.NoError(t, os.Rename(path, path+".1"))
	write(t, f, "two\n")
	st, err := os.Stat(path)
	require.NoError(t, err)
	s := st.Sys().(*syscall.Stat_t)
	require.EqualValues(t, 65534, s.Uid)
	require.EqualValues(t, 1, s.Gid)
}

// Whoever may write to the directory of the log makes it a link to a file that
// only the service may write to (CVE-2016-1247).
func TestFileDoesNotFollowAPlantedLink(t *testing.T) {
	for _, missing := range []bool{true, false} {
		f, path := openFile(t)
		require.NoError(t, f.Close())
		f, err := OpenFile(path, FileOptions{}) // which is there already
		require.NoError(t, err)
		defer f.Close()
		target := filepath.Join(t.TempDir(), "target")
		if !missing {
			require.NoError(t, os.WriteFile(target, []byte("precious\n"), 0o600))
		}
		write(t, f, "one\n")
		require.NoError(t, os.Rename(path, path+".1"))
		require.NoError(t, os.Symlink(target, path))
		n, err := f.Write([]byte("two\n"))
		require.ErrorContains(t, err, "symbolic link")
		require.Equal(t, 4, n, "the old file goes on")
		require.ErrorContains(t, f.Reopen(), "symbolic link")
		if missing {
			require.NoFileExists(t, target)
		} else {
			require.Equal(t, "precious\n", content(t, target))
		}
		require.NoError(t, os.Remove(path))
		write(t, f, "three\n")
		require.Equal(t, "three\n", content(t, path))
	}
}

// A link to the file itself, so that nothing seems to have moved.
func TestFileDoesNotFollowALinkToTheOldFile(t *testing.T) {
	f, path := openFile(t)
	require.NoError(t, os.Rename(path, path+".1"))
	require.NoError(t, os.Symlink(path+".1", path))
	_, err := f.Write([]byte("one\n"))
	require.ErrorContains(t, err, "symbolic link")
}

func TestFileARemovedFileAndAPlantedLink(t *testing.T) {
	f, path := openFile(t)
	target := filepath.Join(t.TempDir(), "target")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Symlink(target, path))
	n, err := f.Write([]byte("two\n"))
	require.Error(t, err)
	require.Zero(t, n)
	require.NoFileExists(t, target)
}

// A path that always was a link leads on to the file of the day.
func TestFileFollowsALinkThatWasThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "current")
	require.NoError(t, os.Symlink("monday", path))
	f, err := OpenFile(path, FileOptions{})
	require.NoError(t, err)
	file := f.file.Load()
	write(t, f, "one\n")
	require.Same(t, file, f.file.Load(), "it has not moved")
	require.NoError(t, os.Symlink("tuesday", path+".new"))
	require.NoError(t, os.Rename(path+".new", path))
	write(t, f, "two\n")
	require.Equal(t, "one\n", content(t, filepath.Join(dir, "monday")))
	require.Equal(t, "two\n", content(t, filepath.Join(dir, "tuesday")))
	require.NoError(t, f.Close())
}

func TestFileSyncOfAFIFO(t *testing.T) {
	path := fifo(t)
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	f, err := OpenFile(path, FileOptions{})
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())
	require.NoError(t, reader.Close())
}

func TestFileSyncReturnsAnError(t *testing.T) {
	f, _ := openFile(t)
	require.NoError(t, f.file.Load().Close())
	require.ErrorIs(t, f.Sync(), os.ErrClosed)
}

func TestFileASocketIsAnError(t *testing.T) {
	dir, err := os.MkdirTemp("", "s") // a short one: the name of a socket is
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	_, err = OpenFile(path, FileOptions{})
	require.ErrorIs(t, err, syscall.ENXIO)
	require.NoError(t, l.Close())
}

// Close and Write at the same time: after Close the file is not made again.
func TestFileAWriteDuringCloseDoesNotCreateTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for range 3000 {
		f, err := OpenFile(path, FileOptions{})
		require.NoError(t, err)
		require.NoError(t, os.Remove(path))
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = f.Write([]byte("x\n")) })
		require.NoError(t, f.Close())
		_, before := os.Stat(path)
		wg.Wait()
		_, after := os.Stat(path)
		require.Equal(t, before == nil, after == nil, "created after Close")
		_ = os.Remove(path)
	}
}

// The same in slow motion: Close waits for an open in progress, and no longer
// than it says.
func TestFileCloseWaitsForAnOpenWithABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, path := openFile(t)
		require.NoError(t, os.Remove(path))
		f.opening <- struct{}{} // an open that hangs
		var err error
		go func() { _, err = f.Write([]byte("x\n")) }()
		synctest.Wait()
		begin := time.Now()
		require.NoError(t, f.Close())
		require.Equal(t, time.Second, time.Since(begin))
		<-f.opening
		synctest.Wait()
		require.ErrorIs(t, err, os.ErrClosed)
		require.NoFileExists(t, path)
	})
}

// A descriptor that has become unusable, as on a network file system, while the
// path leads to the same file.
func TestFileOpensThePathAfterAnError(t *testing.T) {
	f, path := openFile(t)
	write(t, f, "one\n")
	broken, err := os.Open(path) // for reading only
	require.NoError(t, err)
	require.NoError(t, f.file.Swap(broken).Close())
	n, err := f.Write([]byte("two\n"))
	require.ErrorIs(t, err, syscall.EBADF)
	require.Zero(t, n)
	write(t, f, "two\n")
	require.Equal(t, "one\ntwo\n", content(t, path))
	require.ErrorIs(t, broken.Close(), os.ErrClosed)
}

// The same with a record that is cut: it goes on in its file.
func TestFileOpensThePathAfterAnErrorWithinARecord(t *testing.T) {
	f, path := openFile(t)
	write(t, f, "one\nbegun ")
	broken, err := os.Open(path)
	require.NoError(t, err)
	require.NoError(t, f.file.Swap(broken).Close())
	_, err = f.Write([]byte("here\n"))
	require.ErrorIs(t, err, syscall.EBADF)
	write(t, f, "here\n")
	require.Equal(t, "one\nbegun here\n", content(t, path))
}

// Several instances on one path, each of which follows it on its own.
func TestFileSeveralOnOnePath(t *testing.T) {
	_, path := openFile(t)
	var wg sync.WaitGroup
	for range 4 {
		f, err := OpenFile(path, FileOptions{})
		require.NoError(t, err)
		wg.Go(func() {
			for range 500 {
				_, err := f.Write([]byte("a whole line\n"))
				assert.NoError(t, err)
			}
			assert.NoError(t, f.Close())
		})
	}
	files := []string{path}
	for i := range 50 {
		to := path + string(rune('A'+i))
		if os.Rename(path, to) == nil {
			files = append(files, to)
		}
	}
	wg.Wait()
	lines := 0
	for _, p := range files {
		if b, err := os.ReadFile(p); err == nil {
			require.Zero(t, len(b)%len("a whole line\n"))
			lines += countOf(string(b), "a whole line\n")
		}
	}
	require.Equal(t, 2000, lines)
}

func init() {
	// Without rights its directory cannot be looked into.
	exits["directory remade without permission"] = func(w *Writer, _ *ledger) {
		if err := syscall.Setuid(65534); err != nil {
			panic(err)
		}
		dir := filepath.Dir(os.Getenv(exitFile)) + "/of nobody"
		if err := os.Mkdir(dir, 0o700); err != nil {
			panic(err)
		}
		check := func(err error) {
			if err != nil {
				panic(err)
			}
		}
		check(os.Mkdir(dir+"/log", 0o700))
		f, err := OpenFile(dir+"/log/service.log", FileOptions{})
		check(err)
		_, err = f.Write([]byte("before\n"))
		check(err)
		check(os.RemoveAll(dir + "/log"))
		check(os.Mkdir(dir+"/log", 0)) // for itself, too
		n, err := f.Write([]byte("lost?\n"))
		fmt.Println("removed:", n, err)
		check(os.Chmod(dir+"/log", 0o700))
		_, err = f.Write([]byte("after\n"))
		check(err)
		check(os.Rename(dir+"/log/service.log", dir+"/service.log.1"))
		check(os.Chmod(dir+"/log", 0o500)) // it cannot be created there
		n, err = f.Write([]byte("kept\n"))
		fmt.Println("renamed:", n, err)
		// logrotate makes the new file with other rights for a moment.
		check(os.Chmod(dir+"/log", 0o700))
		check(os.WriteFile(dir+"/log/service.log", nil, 0o400))
		n, err = f.Write([]byte("kept as well\n"))
		fmt.Println("for a moment:", n, err)
		check(os.Chmod(dir+"/log/service.log", 0o600))
		_, err = f.Write([]byte("new\n"))
		check(err)
		b, err := os.ReadFile(dir + "/service.log.1")
		check(err)
		fmt.Printf("%q\n", b)
		b, err = os.ReadFile(dir + "/log/service.log")
		check(err)
		fmt.Printf("%q\n", b)
		os.Exit(0)
	}
	// The owner cannot be kept, but the group can.
	exits["not the owner"] = func(*Writer, *ledger) {
		path := os.Getenv(exitFile)
		check := func(err error) {
			if err != nil {
				panic(err)
			}
		}
		check(os.Chown(path, 0, 1))
		check(os.Chmod(path, 0o666))
		check(os.Chmod(filepath.Dir(path), 0o777))
		check(syscall.Setgroups([]int{1}))
		check(syscall.Setgid(65534))
		check(syscall.Setuid(65534))
		f, err := OpenFile(path, FileOptions{})
		check(err)
		check(os.Rename(path, path+".1"))
		_, err = f.Write([]byte("x\n"))
		check(err)
		os.Exit(0)
	}
	exits["no descriptors left"] = func(*Writer, *ledger) {
		path := os.Getenv(exitFile)
		f, err := OpenFile(path, FileOptions{})
		if err != nil {
			panic(err)
		}
		var held []*os.File
		for err == nil {
			var file *os.File
			file, err = os.Open(os.DevNull)
			held = append(held, file)
		}
		_ = os.Rename(path, path+".1")
		fmt.Println(f.Write([]byte("kept\n")))
		for _, file := range held {
			_ = file.Close() // nil at the end
		}
		fmt.Println(f.Write([]byte("new\n")))
		os.Exit(0)
	}
	exits["OpenFile of /dev/stdout by another user"] = func(*Writer, *ledger) {
		if err := syscall.Setuid(65534); err != nil {
			panic(err)
		}
		exits["OpenFile of /dev/stdout"](nil, nil)
	}
	exits["OpenFile of /dev/stdout"] = func(*Writer, *ledger) {
		f, err := OpenFile("/dev/stdout", FileOptions{})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		w := New(f, Options{})
		fmt.Fprintln(w, "to standard output")
		if w.Close() != nil || f.Reopen() != nil {
			os.Exit(2)
		}
		_, err = f.Write([]byte("and again\n"))
		if err != nil || f.Close() != nil {
			os.Exit(3)
		}
		os.Exit(0)
	}
}

func TestFileAsAUserWithoutRights(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	cmd, path := child(t, "directory remade without permission")
	for dir := filepath.Dir(path); len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o777))
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	lines := strings.Split(string(out), "\n")
	require.Contains(t, lines[0], "removed: 0 asynclog: ")
	require.Contains(t, lines[0], "permission denied")
	require.Contains(t, lines[1], "renamed: 5 asynclog: ")
	require.Contains(t, lines[1], "permission denied")
	require.Contains(t, lines[2], "for a moment: 13 asynclog: ")
	require.Contains(t, lines[2], "permission denied")
	require.Equal(t, `"after\nkept\nkept as well\n"`, lines[3])
	require.Equal(t, `"new\n"`, lines[4])
}

func TestFileKeepsTheGroupAtLeast(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	cmd, path := child(t, "not the owner")
	for dir := filepath.Dir(path); len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o777))
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	st, err := os.Stat(path)
	require.NoError(t, err)
	s := st.Sys().(*syscall.Stat_t)
	require.EqualValues(t, 65534, s.Uid)
	require.EqualValues(t, 1, s.Gid)
	require.Equal(t, os.FileMode(0o666), mode(t, path))
}

func TestFileNoDescriptorsLeft(t *testing.T) {
	cmd, path := child(t, "no descriptors left")
	cmd = exec.Command("sh", "-c", "ulimit -n 50; exec "+cmd.Path)
	cmd.Env = append(os.Environ(), exitHow+"=no descriptors left", exitFile+"="+path)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	lines := strings.Split(string(out), "\n")
	require.Contains(t, lines[0], "5 asynclog: ")
	require.Contains(t, lines[0], "too many open files")
	require.Equal(t, "4 <nil>", lines[1])
	require.Equal(t, "kept\n", content(t, path+".1"))
	require.Equal(t, "new\n", content(t, path))
}

// In a container the pipe may belong to root, and the process not.
func TestFileDevStdoutOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, w.Chmod(0o600))
	cmd, _ := child(t, "OpenFile of /dev/stdout by another user")
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = w, &said
	require.Error(t, cmd.Run())
	require.Contains(t, said.String(), "permission denied (use os.Stdout")
	require.NoError(t, w.Close())
	require.NoError(t, r.Close())
}

func TestFileDevStdout(t *testing.T) {
	const want = "to standard output\nand again\n"
	run := func(out *os.File) (string, error) {
		cmd, _ := child(t, "OpenFile of /dev/stdout")
		cmd.Stdout = out
		var said strings.Builder
		cmd.Stderr = &said
		err := cmd.Run()
		return said.String(), err
	}
	if _, err := os.Stat("/dev/stdout"); err != nil {
		t.Skipf("there is no /dev/stdout here: %v", err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	said, err := run(file)
	require.NoError(t, err, said)
	require.Equal(t, want, content(t, file.Name()))
	require.NoError(t, file.Close())

	r, w, err := os.Pipe()
	require.NoError(t, err)
	said, err = run(w)
	require.NoError(t, err, said)
	require.NoError(t, w.Close())
	b := make([]byte, 100)
	n, _ := r.Read(b)
	require.Equal(t, want, string(b[:n]))
	require.NoError(t, r.Close())

	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	socket := os.NewFile(uintptr(pair[0]), "socket")
	said, err = run(socket)
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Contains(t, said, "use os.Stdout or os.Stderr")
	require.NoError(t, socket.Close())
	require.NoError(t, syscall.Close(pair[1]))
}
