package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goodReport is one on which every claim about the fault full holds.
func goodReport() *report {
	phase := func(i, answered, timedOut, health int) phaseReport {
		return phaseReport{Name: phases[i].name, Title: phases[i].title,
			counts: counts{Sent: 200, Answered: answered, TimedOut: timedOut,
				Health: 20, HealthOK: health},
			Status: &status{Code: http.StatusOK}}
	}
	rep := &report{Fault: "full", Requests: 200, Timeout: 3 * time.Second}
	rep.Before = serverReport{
		Phases: []phaseReport{phase(well, 200, 0, 20),
			phase(struck, 64, 136, 6), phase(lifted, 0, 200, 0)},
		Goroutines: goroutines{Now: 340, Blocked: 336,
			At: "incident/before.go:7", In: "main.(*traceWriter).LogWrite"},
		Source: "w.rec <- r",
		Log:    account{Accepted: 264, Written: 200, Buffered: 64},
	}
	rep.After = serverReport{
		Phases: []phaseReport{phase(well, 200, 0, 20),
			phase(struck, 200, 0, 20), phase(lifted, 200, 0, 20)},
		Goroutines: goroutines{Now: 5},
		Log:        account{Accepted: 600, Written: 464, Dropped: 136},
		LateLines:  180, LostLines: 136, State: "running", SinkErrors: 9,
		Kept: []keptReport{newKeptReport(time.Now(), os.ErrClosed),
			newKeptReport(time.Now(), os.ErrClosed)},
		Told: []string{"asynclog: the sink fails\na stack", "asynclog: again"},
		kept: true,
	}
	rep.After.Phases[struck].Status = &status{Code: 503, Kept: 1}
	return rep
}

// TestClaims spoils one figure at a time: the claim about it must fall, and
// with it the whole.
func TestClaims(t *testing.T) {
	rep := goodReport()
	rep.check(full)
	assert.True(t, rep.Observed, "%+v", rep.Claims)
	assert.Len(t, rep.Claims, len(spoils), "one for each claim")
	for want, spoil := range spoils {
		rep := goodReport()
		spoil(rep)
		rep.check(full)
		assert.False(t, rep.Observed, want)
		var fallen []string
		for _, c := range rep.Claims {
			if !c.Observed {
				fallen = append(fallen, c.Text)
			}
		}
		assert.Equal(t, []string{want}, fallen)
	}
}

var spoils = map[string]func(*report){
	"before answered every request while all was well": func(r *report) {
		r.Before.Phases[well].Answered--
	},
	"before hung when the fault struck, with its health check": func(r *report) {
		r.Before.Phases[struck].HealthOK = 20
	},
	"before answered nobody after the fault was lifted": func(r *report) {
		r.Before.Phases[lifted].Answered++
	},
	"336 goroutines of before are blocked in a channel send, for 336 " +
		"requests that timed out": func(r *report) {
		r.Before.Goroutines.In = "main.elsewhere"
	},
	"before logs nothing any more": func(r *report) { r.Before.LateLines++ },
	"after answered every request and health check while all was well": func(r *report) {
		r.After.Phases[well].Sent--
	},
	"after answered every request and health check while the fault lasted": func(r *report) {
		r.After.Phases[struck].HealthOK--
	},
	"after answered every request and health check after it was lifted": func(r *report) {
		r.After.Phases[lifted].Answered--
		r.After.Log.Accepted--
		r.After.Log.Written--
	},
	"no goroutine of after was ever seen blocked in a channel send": func(r *report) {
		r.After.MostBlocked = 1
	},
	"the log lines of before add up: 264 accepted = 199 written + " +
		"0 dropped + 64 buffered": func(r *report) { r.Before.Log.Written-- },
	"the log lines of after add up: 600 accepted = 464 written + " +
		"137 dropped + 0 buffered": func(r *report) {
		r.After.Log.Dropped++
		r.After.LostLines++
	},
	"after accepted a line for every request it answered": func(r *report) {
		r.After.Log.Accepted++
		r.After.Log.Written++
	},
	"after's log says how many lines it lost, where it lost them": func(r *report) {
		r.After.LostLines--
	},
	"after's log noticed, told its fallback, and kept why": func(r *report) {
		r.After.kept = false
	},
	"after's status handler told of it while the fault lasted": func(r *report) {
		r.After.Phases[struck].Status.Kept = 0
	},
	"after is well again, and its log goes on": func(r *report) {
		r.After.LateLines = 0
	},
}

// TestClaimNoticed has each fault noticed by the figure that counts it, and by
// no other.
func TestClaimNoticed(t *testing.T) {
	for f, want := range map[fault][3]bool{ // by SinkErrors, Restarts, Stalls
		full: {true, false, false}, exit: {false, true, false},
		panicking: {false, true, false}, stall: {false, false, true},
	} {
		for i := range want {
			rep := goodReport()
			a := &rep.After
			a.SinkErrors = 0
			*[]*uint64{&a.SinkErrors, &a.Restarts, &a.Stalls}[i] = 1
			assert.Equal(t, want[i], rep.known(f)[0].Observed, "%v %d", f, i)
		}
	}
}

func TestTable(t *testing.T) {
	rep := goodReport()
	rep.After.Phases[struck].Failed = 7
	rep.Before.Phases[lifted].Wait = wait{3 * time.Second, 3100 * time.Millisecond, 1500 * time.Microsecond}
	rep.After.Restarts, rep.After.Stalls = 2, 1
	rep.check(full)
	rep.Claims[0].Observed = false
	var out bytes.Buffer
	require.NoError(t, rep.write(settings{}, nil, &out))
	for _, want := range []string{
		`fault "full", 200 requests`, "client timeout 3s\n",
		"\n                              before                        after\n",
		"\n  answered                    64 of 200                     200 of 200\n",
		"\n  timed out                   136                           0\n",
		"\n  failed otherwise            0                             7\n",
		"\n  health checks answered      6 of 20                       20 of 20\n",
		"\n  waited, p50 / p99 / max     3s / 3.1s / 1.5ms             0s / 0s / 0s\n",
		"\n  blocked in a channel send   336                           0\n",
		"\n    at                        incident/before.go:7          -\n",
		"\n                              w.rec <- r\n",
		"\n  log lines accepted          264                           600\n",
		"\n    = written                 200                           464\n",
		"\n    + dropped                 0                             136\n",
		"\n    + still buffered          64                            0\n",
		"\n    lost, says the log itself nothing                       136\n",
		"\n    failed writes             -                             9\n",
		"\n    restarts / stalls         -                             2 / 1\n",
		"\n    status handler            -                             503, then 200\n",
		"\n    told its fallback         -                             2\n",
		"\n      asynclog: the sink fails\n      asynclog: again\n",
		"\n    last errors kept          none                          2\n",
		"\n      file already closed\n\nWhat package doctor says\n  nothing is stuck\n",
		"\n  NO   before answered every request while all was well\n",
		"\n  yes  after answered every request and health check while all was well\n",
	} {
		assert.Contains(t, out.String(), want)
	}
	for line := range strings.Lines(out.String()) {
		assert.NotContains(t, line, " \n")
	}
	assert.Error(t, rep.write(settings{}, nil, closedWriter{}))
	assert.Error(t, rep.write(settings{json: true}, nil, closedWriter{}))
	missing := filepath.Join(t.TempDir(), "missing", "it.svg")
	out.Reset()
	assert.Error(t, rep.write(settings{svg: missing}, filmed(1), &out))
	assert.Empty(t, out.String(), "the picture comes first")
}

// closedWriter is standard output without a reader.
type closedWriter struct{}

func (closedWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestSourceLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.go")
	require.NoError(t, os.WriteFile(path, []byte("a\n\t b \nc"), 0o666))
	for n, want := range []string{"", "a", "b", "c", ""} {
		assert.Equal(t, want, sourceLine(path, n))
	}
	assert.Empty(t, sourceLine(path+"x", 1))
}

func filmed(n int) []sample {
	all := make([]sample, n)
	for i := range all {
		s := &all[i]
		s.At = time.Duration(i) * 100 * time.Millisecond
		s.Phase = 3 * i / n
		s.Before.Now, s.After.Now = rand.N(1000), rand.N(10)
		s.Before.Blocked = s.Before.Now / 2
		s.Before.Answered, s.After.Answered = i, 2*i
	}
	return all
}

// TestPicture draws any number of samples: all points are on the paper, one for
// each sample.
func TestPicture(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 100, 700} {
		svg := picture(goodReport(), filmed(n))
		var doc struct {
			Lines []struct {
				Points string `xml:"points,attr"`
			} `xml:"polyline"`
			Bands []struct{} `xml:"rect"`
		}
		require.NoError(t, xml.Unmarshal(svg, &doc))
		assert.Len(t, doc.Lines, 5)
		for _, line := range doc.Lines {
			points := strings.Fields(line.Points)
			assert.Len(t, points, n)
			for _, p := range points {
				var x, y float64
				_, err := fmt.Sscanf(p, "%f,%f", &x, &y)
				require.NoError(t, err)
				assert.True(t, x >= left && x <= right && y >= 0 && y <= 600, p)
			}
		}
		if n >= len(phases) {
			assert.Len(t, doc.Bands, 3, "the paper, and the fault in each panel")
			for _, p := range phases {
				assert.Equal(t, 2, bytes.Count(svg, []byte(">"+p.name+"<")))
			}
		}
		assert.Contains(t, string(svg), "prefers-color-scheme: dark")
		assert.NotContains(t, string(svg), "NaN")
	}
}

// TestPictureLabels finds the last values at the ends of the lines, at least a
// line of text apart.
func TestPictureLabels(t *testing.T) {
	label := regexp.MustCompile(`y="([0-9.]+)">(before|after): (\d+)<`)
	for range 500 {
		all := filmed(5)
		last := &all[4]
		last.Before.Now, last.After.Now = rand.N(300), rand.N(300)
		found := label.FindAllStringSubmatch(string(picture(goodReport(), all)), -1)
		require.Len(t, found, 4)
		assert.Equal(t, strconv.Itoa(last.Before.Now), found[0][3])
		assert.Equal(t, strconv.Itoa(last.After.Now), found[1][3])
		for i := 0; i < 4; i += 2 {
			b, err := strconv.ParseFloat(found[i][1], 64)
			require.NoError(t, err)
			a, err := strconv.ParseFloat(found[i+1][1], 64)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, math.Abs(a-b), 15.8)
		}
	}
}

func TestPanelFits(t *testing.T) {
	for most, want := range map[int]float64{
		0: 4, 4: 4, 5: 8, 8: 8, 9: 20, 20: 20, 21: 40, 40: 40, 41: 80,
		80: 80, 81: 200, 438: 800, 750: 800, 801: 2000,
	} {
		p := &panel{samples: []sample{{At: time.Millisecond}}}
		p.fit(func(sample) int { return most })
		assert.InDelta(t, want, p.most, 1e-9, "%d", most)
		assert.Equal(t, time.Second, p.width)
	}
}
