package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"

	"example.com/chanx/doctor"
)

func heap(w http.ResponseWriter, _ *http.Request) {
	pprof.Lookup("heap").WriteTo(w, 0)
}

// TestForeign: what people hand over by mistake is named along with what to
// do, and is exit status 2.
func TestForeign(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	missing := t.TempDir() + "/none.txt"
	for name, test := range map[string]struct{ file, say string }{
		"zstd":   {write(t, "x", "\x28\xb5\x2f\xfd\x04\x00"), "zstd -dc"},
		"xz":     {write(t, "x", "\xfd7zXZ\x00\x00"), "xz -dc"},
		"bzip2":  {write(t, "x", "BZh91AY&SY"), "bzip2 -dc"},
		"zip":    {write(t, "x", "PK\x03\x04\x14\x00"), "unzip -p"},
		"binary": {self, "-binary"},
		"trace":  {write(t, "x", "go 1.26 trace\x00\x00\x00"), "execution trace"},
		"empty":  {write(t, "x", ""), "empty"},
		"prose":  {write(t, "x", "All is well.\n"), "no goroutine in it"},
		"page":   {write(t, "x", "\n<html><body>goroutine"), "a web page"},
		"gzip":   {write(t, "x", "\x1f\x8b\x08garbage"), "damaged gzip"},
		"protobuf": {write(t, "x", "\x5a\x04\x08\x01\x10\x02garbage"),
			"not a whole profile"},
		"directory": {t.TempDir(), "a directory"},
		"missing":   {missing, "http://HOST:PORT"},
	} {
		t.Run(name, func(t *testing.T) {
			got := diagnose(t, test.file)
			require.Equal(t, exitTrouble, got.code)
			require.Empty(t, got.stdout)
			require.Contains(t, got.stderr, test.say)
			require.Contains(t, got.stderr, test.file)
			require.Equal(t, 1, strings.Count(got.stderr, test.file), got.stderr)
		})
	}
}

// TestOneBadFile: the rest is judged, but the status is trouble.
func TestOneBadFile(t *testing.T) {
	got := diagnose(t, "none.txt", write(t, "a.txt", requests(12)))
	require.Equal(t, exitTrouble, got.code)
	require.Contains(t, got.stdout, "12 goroutines are blocked sending")
	require.Contains(t, got.stderr, "none.txt")
}

// TestOwnProfile decodes what this very Go writes.
func TestOwnProfile(t *testing.T) {
	var b bytes.Buffer
	release := make(chan int)
	done := make(chan bool)
	for range 3 {
		go func() { release <- 1; done <- true }()
	}
	for {
		b.Reset()
		require.NoError(t, pprof.Lookup("goroutine").WriteTo(&b, 0))
		snaps, err := decode(&b, "own", &anchors{})
		require.NoError(t, err)
		require.Len(t, snaps, 1)
		require.False(t, snaps[0].Taken.IsZero())
		if sending(snaps[0]) == 3 {
			break
		}
	}
	for range 3 {
		<-release
		<-done
	}
}

// sending counts who is in a send of TestOwnProfile.
func sending(s *doctor.Snapshot) int {
	n := 0
	for _, stack := range s.Stacks {
		for i, f := range stack.Frames {
			if f.Func == "runtime.chansend1" &&
				strings.HasSuffix(stack.Frames[i+1].Func, "TestOwnProfile.func1") {
				n += stack.Count
			}
		}
	}
	return n
}

// crafted is a profile with everything that a writer may do.
func crafted() *profile.Profile {
	fn := &profile.Function{ID: 1, Name: "example.com/app.Run", Filename: "app.go"}
	inner := &profile.Function{ID: 2, Name: "example.com/app.step",
		Filename: "app.go"}
	named := &profile.Location{ID: 1, Address: 0x100, Line: []profile.Line{
		{Function: inner, Line: 7}, {Function: fn, Line: 30}}}
	bare := &profile.Location{ID: 2, Address: 0x200}
	return &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"},
			{Type: "goroutine", Unit: "count"}},
		Function: []*profile.Function{fn, inner},
		Location: []*profile.Location{named, bare},
		Sample: []*profile.Sample{
			{Location: []*profile.Location{named}, Value: []int64{1, 4},
				Label: map[string][]string{"tenant": {"blue"}}},
			{Location: []*profile.Location{named}, Value: []int64{1, 5},
				Label: map[string][]string{"tenant": {"red"}}},
			{Location: []*profile.Location{bare, named}, Value: []int64{1, 2}},
			{Location: []*profile.Location{bare}, Value: []int64{1, -3}},
			{Location: []*profile.Location{bare}, Value: []int64{1, 0}},
		},
	}
}

// TestHostileProtobuf: a profile made to be expensive is refused or cut, and
// reports it. Each is a few kilobytes as gzip.
func TestHostileProtobuf(t *testing.T) {
	refused := "\x0a\x04\x08\x01\x10\x02" + strings.Repeat("\x12\x00", 4<<20)
	_, err := decode(strings.NewReader(refused), "p", &anchors{})
	require.ErrorContains(t, err, "empty parts")

	p := crafted()
	deep, fn := p.Location[0], p.Function[0]
	for range 5000 { // inlined calls, on each of as many levels
		deep.Line = append(deep.Line, profile.Line{Function: fn, Line: 1})
		p.Sample[0].Location = append(p.Sample[0].Location, deep)
	}
	var b bytes.Buffer
	require.NoError(t, p.WriteUncompressed(&b))
	snaps, err := decode(&b, "p", &anchors{})
	require.NoError(t, err)
	require.Equal(t, 11, snaps[0].Goroutines)
	frames := 0
	for _, s := range snaps[0].Stacks {
		frames += len(s.Frames)
	}
	require.LessOrEqual(t, frames, spareFrames+64<<10)
	require.Contains(t, snaps[0].Troubles[len(snaps[0].Troubles)-1].Why,
		"calls are left out")
}

// TestHostileGzip: text that is almost nothing as gzip keeps to what package
// doctor promises of it.
func TestHostileGzip(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for i := range 300_000 {
		fmt.Fprintf(z, "goroutine 1 [s%d]:\nmain.f()\n\t/a.go:1\n", i%7)
	}
	require.NoError(t, z.Close())
	snaps, err := decode(&b, "p", &anchors{})
	require.NoError(t, err)
	require.LessOrEqual(t, len(snaps), 1000)
	require.Positive(t, snaps[len(snaps)-1].Unreadable, "what is left out is said")
}

func TestProtobuf(t *testing.T) {
	snap, err := fromProfile(crafted(), "p", spareFrames)
	require.NoError(t, err)
	require.Equal(t, 11, snap.Goroutines)
	require.Equal(t, 1, snap.Unreadable)
	require.Len(t, snap.Troubles, 1)
	require.Len(t, snap.Stacks, 2)
	require.Equal(t, 9, snap.Stacks[0].Count)
	require.Equal(t, map[string]int{"tenant=blue": 4, "tenant=red": 5},
		snap.Stacks[0].Labels)
	require.Equal(t, []doctor.Frame{
		{Func: "example.com/app.step", File: "app.go", Line: 7},
		{Func: "example.com/app.Run", File: "app.go", Line: 30},
	}, snap.Stacks[0].Frames)
	var nameless []uint64
	snap.Resolve(func(pcs []uint64) map[uint64][]doctor.Frame {
		nameless = pcs
		return nil
	})
	require.Equal(t, []uint64{0x201}, nameless)

	// A goroutine that has not begun, or has just ended, has no call that the
	// runtime shows: that is no gap of the profile.
	p := crafted()
	p.Sample = append(p.Sample, &profile.Sample{Value: []int64{1, 1},
		Location: nil, Label: map[string][]string{}})
	snap, err = fromProfile(p, "p", spareFrames)
	require.NoError(t, err)
	require.Equal(t, []doctor.Frame{{Func: "runtime.goexit"}},
		snap.Stacks[2].Frames)
	require.True(t, doctor.Diagnose(doctor.Rules{}, &doctor.Snapshot{
		Goroutines: 1, Stacks: snap.Stacks[2:]}).Complete())

	p = crafted()
	p.SampleType[1].Type = "goroutineleak"
	snap, err = fromProfile(p, "p", spareFrames)
	require.NoError(t, err)
	require.True(t, snap.Stacks[0].Leaked)

	p.SampleType[1].Type = "contentions"
	_, err = fromProfile(p, "p", spareFrames)
	require.EqualError(t, err, `p: a profile of "samples", "contentions", not of `+
		"goroutines: take /debug/pprof/goroutine instead")
	p = crafted()
	p.Sample = nil
	_, err = fromProfile(p, "p", spareFrames)
	require.EqualError(t, err, "p: a profile without goroutines")
}

// TestRewritten: go tool pprof -proto writes the fields in another order.
func TestRewritten(t *testing.T) {
	var zipped, plain bytes.Buffer
	require.NoError(t, crafted().Write(&zipped))
	require.NoError(t, crafted().WriteUncompressed(&plain))
	for _, in := range []io.Reader{&zipped, &plain} {
		snaps, err := decode(in, "p", &anchors{})
		require.NoError(t, err)
		require.Equal(t, 11, snaps[0].Goroutines)
	}
}

// TestCutProtobuf: half a profile in protobuf form is none.
func TestCutProtobuf(t *testing.T) {
	var own bytes.Buffer
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&own, 0))
	for _, n := range []int{own.Len() / 2, own.Len() - 1} {
		cut := bytes.NewReader(own.Bytes()[:n])
		_, err := decode(cut, "p.pb.gz", &anchors{})
		require.ErrorContains(t, err, "p.pb.gz: ")
		require.ErrorContains(t, err, "fetch it again")
	}
}

// FuzzAnchors: lines in any pieces are the same anchors.
func FuzzAnchors(f *testing.F) {
	f.Add([]byte("#\t0x6d2f14\tmain.f+0x55\t/a.go:1\n#\t0x1\tx+0x\t\n"), 7)
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		var whole, parts anchors
		whole.Write(data)
		cut = min(max(cut, 0), len(data))
		parts.Write(data[:cut])
		parts.Write(data[cut:])
		require.Equal(t, whole.entry, parts.entry)
		require.LessOrEqual(t, len(whole.entry), maxAnchors)
	})
}

// TestBomb: a small file that unpacks to gigabytes ends early, one that
// unpacks to itself as well.
func TestBomb(t *testing.T) {
	_, err := decodeProtobuf(endless{}, "bomb")
	require.ErrorContains(t, err, "above 64 MB")
	thrice := gzipped(t, gzipped(t, gzipped(t, requests(1))))
	_, err = decode(strings.NewReader(thrice), "thrice", &anchors{})
	require.EqualError(t, err, "thrice: compressed more than twice")
}

// endless is all zeros.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// TestAnchors: lines may come in any pieces, and end in the middle.
func TestAnchors(t *testing.T) {
	const profile = "goroutine profile: total 1\n1 @ 0x43e0c5 0x6d2f15\n" +
		"#\t0x6d2f14\tlog4go.(*Writer).Write+0x55\t/src/filelog.go:212\n" +
		"#\tno\tsuch+0xzz\tline\n#\t0x1\n" +
		"2026-01-02 pod " +
		"#\t0x500\tmain.main+0x100\t\t/src/main.go:7\n#\t0x9\tcut+0x1\tx"
	want := map[string]uint64{"log4go.(*Writer).Write": 0x6d2ebf,
		"main.main": 0x400}
	for size := 1; size < len(profile); size++ {
		var a anchors
		for i := 0; i < len(profile); i += size {
			n, err := a.Write([]byte(profile[i:min(len(profile), i+size)]))
			require.NoError(t, err)
			require.Equal(t, min(size, len(profile)-i), n)
		}
		require.Equal(t, want, a.entry, "in pieces of %d", size)
	}
}

// FuzzDecode: no input crashes it, and there are goroutines or an error.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(requests(2)))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	var own, rewritten bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&own, 0)
	crafted().WriteUncompressed(&rewritten)
	f.Add(own.Bytes())
	f.Add(rewritten.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		snaps, err := decode(bytes.NewReader(data), "fuzz", &anchors{})
		require.NotEqual(t, err == nil, len(snaps) == 0)
		for _, s := range snaps {
			sum := 0
			for _, stack := range s.Stacks {
				sum += stack.Count
			}
			require.Equal(t, sum, s.Goroutines)
		}
		if len(snaps) > 0 {
			doctor.Diagnose(doctor.Rules{}, snaps...)
		}
	})
}
