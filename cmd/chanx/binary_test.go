package main

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tiny links nothing but the runtime, so that it compiles for any system in
// no time.
const tiny = `package main

func main() { work(make(chan int)) }

//go:noinline
func work(ch chan int) {
	ch <- 1 // line 7
}
`

// build compiles tiny for another system.
func build(t *testing.T, goos, arch string, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	src, exe := filepath.Join(dir, "main.go"), filepath.Join(dir, "tiny.exe")
	require.NoError(t, os.WriteFile(src, []byte(tiny), 0o644))
	cmd := exec.Command("go", append(append([]string{"build"}, flags...), "-o",
		exe, src)...)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+arch, "CGO_ENABLED=0",
		"GOWORK=off", "GOFLAGS=")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return exe
}

// symbolOf is where go tool nm says that a function begins.
func symbolOf(t *testing.T, exe, function string) uint64 {
	t.Helper()
	out, err := exec.Command("go", "tool", "nm", exe).Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[2] == function {
			pc, err := strconv.ParseUint(fields[0], 16, 64)
			require.NoError(t, err)
			return pc
		}
	}
	require.Fail(t, "no such symbol", function)
	return 0
}

// TestBinaryOfOtherSystems: a dump is looked at on a laptop, the program ran
// elsewhere. The names are those that go tool nm has.
func TestBinaryOfOtherSystems(t *testing.T) {
	for _, system := range []string{
		"linux/amd64", "darwin/arm64", "windows/amd64", "windows/386",
	} {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			goos, arch, _ := strings.Cut(system, "/")
			exe := build(t, goos, arch)
			b, err := openBinary(exe)
			require.NoError(t, err)
			for _, function := range []string{"main.work", "main.main",
				"runtime.gopark"} {
				at := symbolOf(t, exe, function)
				require.Equal(t, at, b.entry[function], function)
				calls := b.at(at + 1)
				require.Len(t, calls, 1)
				require.Equal(t, function, calls[0].Func)
			}
			work := b.at(b.entry["main.work"] + 1)[0]
			require.Equal(t, "main.go", filepath.Base(work.File))
			require.Equal(t, 6, work.Line)
			require.Nil(t, b.at(1), "outside of any code")
		})
	}
}

// TestBinaryInUse: a dump with addresses of a program for another system gets
// its names, stripped or not.
func TestBinaryInUse(t *testing.T) {
	for _, system := range []string{"darwin/arm64", "windows/amd64"} {
		goos, arch, _ := strings.Cut(system, "/")
		exe := build(t, goos, arch)
		stripped := build(t, goos, arch, "-ldflags=-s -w")
		hex := func(function string, offset uint64) string {
			return "0x" + strconv.FormatUint(symbolOf(t, exe, function)+offset, 16)
		}
		dump := write(t, "one.txt", "goroutine profile: total 20\n20 @ "+
			hex("runtime.gopark", 9)+" "+hex("runtime.chansend", 9)+" "+
			hex("runtime.chansend1", 9)+" "+hex("main.work", 9)+"\n"+
			"#\t"+hex("main.work", 8)+"\tmain.work+0x8\t/src/main.go:7\n")
		require.Equal(t, "unknown", operation(t, dump))
		require.Equal(t, "chan send", operation(t, "-binary", exe, dump), system)
		b, err := openBinary(stripped)
		require.NoError(t, err)
		require.NotZero(t, b.entry["main.work"])
	}
}

// operation is what the first finding, or else the first place, is blocked in.
func operation(t *testing.T, args ...string) string {
	t.Helper()
	got := diagnose(t, append([]string{"-json", "-many", "1"}, args...)...)
	r := parse(t, got.stdout)
	if len(r.Findings) == 0 {
		return "unknown"
	}
	return r.Findings[0].Operation
}

// TestNoBinary: what was given by mistake is said, and what to give instead.
func TestNoBinary(t *testing.T) {
	exe := build(t, "linux", "amd64")
	data, err := os.ReadFile(exe)
	require.NoError(t, err)
	damaged := strings.Replace(string(data), "\xf1\xff\xff\xff\x00\x00",
		"\xf1\xff\xfe\xff\x00\x00", 1)
	for name, test := range map[string]struct{ content, say string }{
		"text": {"goroutine 1 [running]:\n",
			"not an executable of Linux, macOS or Windows"},
		"empty":     {"", "not an executable"},
		"cut short": {string(data[:1000]), ""},
		"damaged":   {damaged, "its table of functions cannot be read"},
		"no Go": {strings.ReplaceAll(string(data), ".gopclntab", ".someother"),
			"not a Go program"},
	} {
		file := write(t, "file", test.content)
		_, err := openBinary(file)
		require.ErrorContains(t, err, "-binary "+file, name)
		require.ErrorContains(t, err, test.say, name)
	}
	_, err = openBinary(t.TempDir() + "/none")
	require.ErrorContains(t, err, "no such file")
}

// TestBinaryPatched: a damaged or patched file is refused, in memory that
// follows the file. Each byte of the header of the table of functions is made
// as large as it can be, and the names are made one without an end.
func TestBinaryPatched(t *testing.T) {
	exe := build(t, "linux", "amd64")
	whole, err := os.ReadFile(exe)
	require.NoError(t, err)
	f, err := elf.NewFile(bytes.NewReader(whole))
	require.NoError(t, err)
	table := f.Section(".gopclntab")
	patched := func(at uint64, data []byte) string {
		bad := bytes.Clone(whole)
		copy(bad[table.Offset+at:], data)
		return write(t, "patched.exe", string(bad))
	}
	ones := bytes.Repeat([]byte{0xff}, 8)
	refused := 0
	for at := uint64(6); at < 72; at += 2 {
		for n := 1; n <= 8; n += 7 {
			if b, err := openBinary(patched(at, ones[:n])); err != nil {
				refused++
				require.Contains(t, err.Error(), "table of functions")
			} else {
				b.at(b.entry["main.work"] + 1)
				b.at(1 << 40)
			}
		}
	}
	require.Greater(t, refused, 8)
	_, err = openBinary(patched(72, bytes.Repeat([]byte("x"), 1<<20)))
	require.ErrorContains(t, err, "damaged")
	got := diagnose(t, "-binary", patched(8, ones), write(t, "d.txt", requests(1)))
	require.Equal(t, exitTrouble, got.code)
	require.Contains(t, got.stderr, "its table of functions is damaged")
	for _, n := range []int{0, 7, 100, 5000, len(whole) / 2} {
		_, err := openBinary(write(t, "cut.exe", string(whole[:n])))
		require.Error(t, err)
	}
}
