package observe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx"
	"example.com/chanx/asynclog"
	"example.com/chanx/doctor"
	"example.com/chanx/internal/printable"
)

const script = `<script>document.title="owned"</script><img src=x onerror=alert(1)>`

// hostile has o show name and text wherever it shows any from outside.
func hostile(t testing.TB, o *Observer, name, text string) {
	o.Ring(name+" ring", chanx.NewRing[int](1))
	o.Ring(name+" panics", ringStats(func() chanx.RingStats { panic(text) }))
	o.Broadcast(name+" broadcast", chanx.NewBroadcast[int](1))
	o.Broadcast(name+" broken", broadcastStats(func() chanx.BroadcastStats {
		panic(text)
	}))
	w := asynclog.New(writerFunc(func(p []byte) (int, error) {
		return 0, errors.New(text)
	}), asynclog.Options{CloseTimeout: time.Nanosecond})
	fmt.Fprint(w, "x")
	for w.Stats().LastError == nil {
		runtime.Gosched() // in a bubble or not
	}
	_ = w.Close()
	o.Log(name+" log", w)
	s := chanx.NewSupervisor(chanx.SupervisorOptions{})
	for _, worker := range []func(context.Context) error{
		func(context.Context) error { return chanx.Permanent(errors.New(text)) },
		func(context.Context) error { panic(text) },
	} {
		require.NoError(t, s.Add(fmt.Sprintf("%s %d", name, len(s.Status())),
			worker, chanx.RestartPolicy{Restart: chanx.RestartNever}))
	}
	_ = s.Run(context.Background())
	o.Supervisor(name+" set", s)
}

// noDoctor is in place of a sample of the goroutines.
var noDoctor = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte(`{"targets":[]}`))
})

// Whatever the names and errors are, the page has the same elements, all
// characters of every answer show as themselves, and the JSON is valid.
func FuzzHostileText(f *testing.F) {
	for _, s := range []string{script, "\x1b]0;owned\a", "\u202etxt.exe", "\xff\xfe",
		`"onmouseover="alert(1)`, "'", "&lt;", "{{.}}", "-->", "]]>", "a\nb\tc",
		"</pre></details>", strings.Repeat("é", 2000), "\u2028", "%s%d", ""} {
		f.Add(s, s)
	}
	plainly := New()
	plainly.goroutines.doctor = noDoctor
	hostile(f, plainly, "name", "text")
	plain := get(plainly, "/").Body.String()
	plainLines := get(plainly, "/?format=text").Body.String()
	f.Fuzz(func(t *testing.T, name, text string) {
		if text == "" {
			text = "x"
		}
		o := New()
		o.goroutines.doctor = noDoctor
		hostile(t, o, name, text)
		page := get(o, "/").Body.String()
		assert.Equal(t, strings.Count(plain, "<"), strings.Count(page, "<"))
		assert.Equal(t, strings.Count(plain, `"`), strings.Count(page, `"`))
		lines := get(o, "/?format=text").Body.String()
		encoded := get(o, "/?format=json").Body.String()
		assert.True(t, json.Valid([]byte(encoded)))
		for _, answer := range []string{page, lines, encoded} {
			for _, c := range answer {
				if c != '\n' && c != printable.Rune(c) {
					t.Fatalf("%U in %q", c, answer)
				}
			}
		}
		assert.Equal(t, strings.Count(plainLines, "\n"),
			strings.Count(lines, "\n"), "no line is forged")
	})
}

// The policy admits the style of the page and nothing else, and the page needs
// nothing else.
func TestPagePolicy(t *testing.T) {
	o := New()
	hostile(t, o, script, script)
	w := get(o, "/")
	page := w.Body.String()
	_, rest, ok := strings.Cut(page, "<style>")
	require.True(t, ok)
	style, rest, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	policy := "default-src 'none'; style-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "';"
	assert.Contains(t, page, `content="`+policy)
	assert.True(t, strings.HasPrefix(w.Result().Header.Get("Content-Security-Policy"), policy))
	assert.NotContains(t, rest, "<style")
	for _, outside := range []string{"http://", "https://", "@import", "url(",
		"<script", "<img", " style="} {
		assert.NotContains(t, page, outside)
	}
}

// A service that hangs everywhere is asked over the network.
func TestAnswersWhenAllElseHangs(t *testing.T) {
	o := New()
	release := make(chan struct{})
	hang := errorFunc(func() string { <-release; return "late" })
	ring := chanx.NewRing[int](1)
	o.Ring("well", ring)
	hanging := false
	o.Ring("hangs", ringStats(func() chanx.RingStats {
		if hanging {
			<-release
		}
		return chanx.RingStats{}
	}))
	hanging = true
	w := asynclog.New(writerFunc(func(p []byte) (int, error) {
		if string(p) == "stick\n" {
			<-release
		}
		return 0, hang
	}), asynclog.Options{StallAfter: time.Millisecond, CloseTimeout: time.Millisecond})
	fmt.Fprintln(w, "fail")
	require.Eventually(t, func() bool { return w.Stats().SinkErrors > 0 },
		time.Minute, time.Millisecond)
	fmt.Fprintln(w, "stick")
	o.Log("log", w)
	s := chanx.NewSupervisor(chanx.SupervisorOptions{StopTimeout: time.Millisecond,
		OnEvent: func(chanx.Event) { <-release }})
	require.NoError(t, s.Add("fails", func(context.Context) error { return hang },
		chanx.RestartPolicy{}))
	require.NoError(t, s.Add("hangs", func(context.Context) error { <-release; return nil },
		chanx.RestartPolicy{}))
	o.Supervisor("set", s)
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); _ = s.Run(ctx) }()
	defer func() {
		cancel()
		close(release)
		<-over
		_ = w.Close()
	}()

	server := httptest.NewServer(o)
	defer server.Close()
	for _, format := range []string{"html", "text", "json"} {
		resp, err := server.Client().Get(server.URL + "/?format=" + format)
		require.NoError(t, err)
		var body bytes.Buffer
		_, err = body.ReadFrom(resp.Body)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Contains(t, body.String(), "Stats has not returned for ")
		assert.Contains(t, body.String(), "its text is not known: Error has not returned for")
		assert.Contains(t, body.String(), "well")
	}
}

func TestSentences(t *testing.T) {
	at := time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)
	worker := func(state chanx.WorkerState, crashLooping bool) string {
		w := Worker{Name: "w", State: state, Since: at.Add(-65 * time.Minute),
			Restarts: 7, CrashLooping: crashLooping, LastError: "boom"}
		return w.sentence("s", at)
	}
	const rest = ", 7 restarts so far; last error: boom"
	assert.Equal(t, `worker "w" of "s" failed for good 1h5m ago`+rest,
		worker(chanx.StateFailed, false))
	assert.Equal(t, `worker "w" of "s" has been stalled for 1h5m`+rest,
		worker(chanx.StateStalled, false))
	assert.Equal(t, `worker "w" of "s" ended 1h5m ago and waits to be restarted`+rest,
		worker(chanx.StateBackingOff, false))
	assert.Equal(t, `worker "w" of "s" is crash-looping: it was restarted 1h5m ago`+rest,
		worker(chanx.StateRunning, true))

	log := Log{Name: "l", Dropped: Count{Records: 9}, SinkErrors: 4,
		LastError: "disk full", Rate: Rate{Over: 2 * time.Second, Sent: 10, Failed: 1},
		DroppedByLevel: Levels{Debug: 1, Info: 2, Warn: 3, Error: 4, Unknown: 5}}
	assert.Equal(t, Problem{doctor.Warning, "log", "l",
		`the sink of log "l" fails: 1 error in the last 2s; last error: disk full`},
		log.problem(at))
	log.Rate.Dropped = 3
	assert.Equal(t, `log "l" drops records: 3 (1.5/s) of 10 in the last 2s, `+
		`9 in all; last error: disk full`, log.problem(at).Sentence)
	log.Stalled, log.StalledSince = true, at.Add(-time.Hour)
	assert.Equal(t, `log "l" has stalled: its sink makes no progress, noticed 1h0m ago; `+
		`0 records buffered, 9 dropped; last error: disk full`, log.problem(at).Sentence)
	assert.Equal(t, "4 sink errors, dropped: error 4, warn 3, info 2, debug 1, "+
		"without a level 5", log.trouble())
	v := &view{Snapshot: Snapshot{Time: at}}
	assert.Equal(t, "STALLED for 1h0m", v.stalled(log))
	assert.Empty(t, v.since(time.Time{}))

	for reason, want := range map[string]Problem{
		"gave up": {doctor.Critical, "supervisor", "s",
			`supervisor "s" has given up: its workers run no more`},
		"stopping": {doctor.Info, "supervisor", "s", `supervisor "s": stopping`},
	} {
		var snap Snapshot
		snap.addWorkers(&Supervisor{Name: "s", Reason: reason}, at)
		assert.Equal(t, []Problem{want}, snap.Problems)
	}
	assert.Equal(t, "no workers; stopped", (&Supervisor{Reason: "stopped"}).summary())
	all := Worker{CrashLooping: true, Exits: chanx.ExitCounts{Nil: 1, Error: 2, Panic: 3,
		Goexit: 4, Stall: 5}}
	assert.Equal(t, "3 panic, 2 error, 4 Goexit, 5 stall, 1 nil", all.exits())
	assert.Equal(t, "crash-looping", all.state())
}

func TestTimesAndSizes(t *testing.T) {
	for want, d := range map[string]time.Duration{"0s": -time.Hour,
		"12s": 12*time.Second + 999*time.Millisecond, "4m10s": 250 * time.Second,
		"2h5m": 2*time.Hour + 5*time.Minute + 59*time.Second, "3d4h": 76 * time.Hour} {
		assert.Equal(t, want, ago(d))
	}
	for want, n := range map[string]uint64{"0 B": 0, "999 B": 999,
		"1.0 KiB": 1024, "12 MiB": 12 << 20, "16 EiB": 1<<64 - 1} {
		assert.Equal(t, want, size(n))
	}
}

// The doctor may have many findings; the page has the worst of them.
func TestFindingsAreBounded(t *testing.T) {
	v := &view{Report: &doctor.Report{}}
	for i := range 20 {
		v.Report.Findings = append(v.Report.Findings, doctor.Finding{
			Severity: doctor.Critical, Sentence: fmt.Sprint("finding ", i)})
	}
	v.addFindings()
	assert.Len(t, v.Problems, maxFindings+1)
	assert.Equal(t, "other goroutines are stuck as well: see all of them",
		v.Problems[maxFindings].Sentence)
	v = &view{Report: &doctor.Report{Findings: []doctor.Finding{
		{Severity: doctor.Info, Sentence: "may be in order"}}}}
	v.addFindings()
	assert.Empty(t, v.Problems)
	v.Problems = []Problem{{Severity: doctor.Info, Sentence: "stopping"}}
	assert.Equal(t, "No problem found", v.title())
}

// browser returns the document at url as it is after loading.
func browser(t *testing.T, url string) string {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on this machine: the page is not looked at in a browser")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--headless", "--no-sandbox",
		"--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--hide-scrollbars", "--user-data-dir="+t.TempDir(), "--dump-dom", url)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	require.NoError(t, cmd.Run(), "%s", log.String())
	return out.String()
}

// A real browser runs nothing of hostile names and errors.
func TestPageInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	o := New()
	hostile(t, o, script, script)
	server := httptest.NewServer(o)
	defer server.Close()
	dom := browser(t, server.URL)
	assert.Contains(t, dom, "&lt;script&gt;")
	assert.NotContains(t, dom, "<script")
	assert.NotContains(t, dom, "<title>owned")
	assert.Contains(t, dom, "<details>")
}

// On a phone nothing is wider than the screen, on a desk the table is a table:
// the browser measures the page itself, in frames of both widths.
func TestPageFits(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	var body string
	synctest.Test(t, func(t *testing.T) {
		o := New()
		sick(t, o)
		hostile(t, o, strings.Repeat("long", 60), strings.Repeat("long", 500))
		_, body, _ = strings.Cut(get(o, "/").Body.String(), "<meta name=")
	})
	page := "<!DOCTYPE html><meta name=" + body // without the policy, for the probe
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/page.html", []byte(page), 0o600))
	quoted, err := json.Marshal(page)
	require.NoError(t, err)
	probe := `<!DOCTYPE html><title></title><body><script>
const page=` + strings.ReplaceAll(string(quoted), "/", `\/`) + `;let done=0;
for(const width of [390,1280]){
 const f=document.createElement("iframe");f.style.width=width+"px";f.srcdoc=page;
 f.onload=()=>{const d=f.contentDocument;let wide=0;
  d.querySelectorAll("details").forEach(e=>e.open=true);
  d.querySelectorAll("body *").forEach(e=>{if(e.getBoundingClientRect().right>width)wide++});
  const head=d.querySelector("thead").getBoundingClientRect().height>0;
  const bar=d.querySelector(".bar rect").getBoundingClientRect().width>100;
  const thumb=d.querySelector("nav a").getBoundingClientRect().height>=36&&
   d.querySelector("summary").getBoundingClientRect().height>=36;
  document.title+=" "+width+": wide="+wide+" head="+head+" bar="+bar+" thumb="+thumb;
 };document.body.append(f)}
</script>`
	require.NoError(t, os.WriteFile(dir+"/probe.html", []byte(probe), 0o600))
	dom := browser(t, "file://"+dir+"/probe.html")
	title, _, _ := strings.Cut(dom, "</title>")
	assert.Contains(t, title, "390: wide=0 head=false bar=true thumb=true")
	assert.Contains(t, title, "1280: wide=0 head=true bar=true thumb=true")
}
