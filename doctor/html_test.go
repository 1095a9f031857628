package doctor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/chanx/internal/printable"
)

func pageOf(t *testing.T, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.WriteHTML(&b))
	return b.String()
}

// hostile is a dump whose every text is an attack on who reads it.
func hostile() *Snapshot {
	const script = `<script>document.title="owned"</script><img src=x onerror=alert(1)>`
	p := &Snapshot{Target: script, Banner: "panic: " + script, Unreadable: 1,
		Troubles: []Trouble{{1, script + "\x1b[2J", script}}}
	p.Add(&Stack{State: "chan send", Count: 40, Frames: []Frame{
		{Func: "app.(*T" + script + ").Write", File: "/a/" + script + ".go", Line: 1},
		{Func: "net/http.HandlerFunc.ServeHTTP", File: `"><script>`, Line: 2},
	}, CreatedBy: Frame{Func: "x\x1b]0;owned\a\u202e" + script}})
	return p
}

func TestHTMLEscapes(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Diagnose(Rules{}, hostile()).WriteHTML(&b))
	assert.NotContains(t, b.String(), "<script")
	assert.NotContains(t, b.String(), "<img")
	assert.NotContains(t, b.String(), "\x1b")
	assert.NotContains(t, b.String(), "\u202e")
	assert.Contains(t, b.String(), "&lt;script&gt;")
}

// A bar is as long as its share of all goroutines.
func TestHTMLBars(t *testing.T) {
	var b bytes.Buffer
	r := Diagnose(Rules{}, process(standing(30, "chan send", "app.f"),
		standing(50, "running", "app.g")))
	require.NoError(t, r.WriteHTML(&b))
	assert.Contains(t, b.String(), `<rect width="37.5"`)
	assert.Contains(t, b.String(), `aria-label="37.5% of all goroutines"`)
	r.Goroutines = 0 // a report that was made by hand
	require.NoError(t, r.WriteHTML(&b))
}

// The page says whose it is and when, then the finding; what decides is one
// line with the evidence folded below it.
func TestHTMLOrder(t *testing.T) {
	p := stuckAt(map[int]int{212: 7978})
	p.Add(standing(3, "chan receive", "app.worker"))
	p.Taken = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	p.Process = &Process{Host: "web-1", PID: 4711, Program: "server",
		Version: "v1.2.3", Go: "go1.27.0", Started: p.Taken.Add(-90 * time.Minute)}
	r := Diagnose(Rules{}, p)
	r.Notes = []string{"3 lines of app.log were not looked at"}
	r.Findings[0].Evidence = []string{"app.(*Log).drain is parked"}
	var b bytes.Buffer
	require.NoError(t, r.writePage(&b, links(false)))
	at := 0
	for _, part := range []string{
		"web-1, server, pid 4711 (v1.2.3, go1.27.0), up 1h30m0s; " +
			"2026-11-28 12:00:00 UTC",
		"<h1>1 critical</h1>",
		`<p class="root">7,978 goroutines are blocked sending in <code>`,
		"Not looked at: 3 lines of <code>app.log</code> were not looked at.</p>",
		`<a href="?">Refresh</a>`, `href="?stacks=1"`, `href="?format=text"`,
		`href="?format=json"`,
		`<p class="sentence">7,978 blocked sending in <code>app.(*Log).Write</code> ` +
			"(<code>log.go:212</code>).",
		`<details class="why"><summary class="meta">confidence high, receiver ` +
			"missing (confidence medium): 1 reason</summary>",
		"<li><code>app.(*Log).drain</code> is parked</li>",
		`<span class="verdict stuck">stuck</span> 7,978 blocked sending in <code>`,
		"4 goroutines in 2 places, idle by design or at work</summary>",
		`<span class="verdict idle">idle</span> 3 blocked receiving in <code>`,
	} {
		i := strings.Index(b.String()[at:], part)
		if !assert.GreaterOrEqual(t, i, 0, part) {
			t.Log(b.String())
			return
		}
		at += i
	}
	b.Reset()
	require.NoError(t, r.WriteHTML(&b))
	assert.NotContains(t, b.String(), "<nav>", "a file has nothing to link to")
}

func TestHTMLCode(t *testing.T) {
	for in, want := range map[string]string{
		"main.run.func2.1 is alive":          "<code>main.run.func2.1</code> is alive",
		"in (*T).Put":                        "in <code>(*T).Put</code>",
		"a.b/c/d.(*T[int]).Put, e":           "<code>a.b/c/d.(*T[int]).Put</code>, e",
		"a sentence. And <script>x</script>": "a sentence. And &lt;script&gt;x&lt;/script&gt;",
		"app.f[<b>].g":                       "<code>app.f[&lt;b&gt;].g</code>",
		"7,978 of 0xc000 (12 minutes); 1.5":  "7,978 of 0xc000 (12 minutes); 1.5",
	} {
		assert.EqualValues(t, want, code(in))
	}
}

// The policy admits the style of the page and nothing else.
func TestHTMLPolicy(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Diagnose(Rules{}, hostile()).WriteHTML(&b))
	_, rest, ok := strings.Cut(b.String(), "<style>")
	require.True(t, ok)
	style, rest, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	assert.Contains(t, b.String(), `content="default-src 'none'; style-src 'sha256-`+
		base64.StdEncoding.EncodeToString(sum[:])+"';")
	assert.NotContains(t, rest, "style=")
	assert.NotContains(t, rest, "<style")
}

func TestHTMLNeedsNothingElse(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Diagnose(Rules{},
		stuckAt(map[int]int{1: 20})).WriteHTML(&b))
	for _, outside := range []string{"http://", "https://", "src=", "@import",
		"url("} {
		assert.NotContains(t, b.String(), outside)
	}
}

// browser runs a headless browser over a page and returns its document as it
// is after loading.
func browser(t *testing.T, args ...string) string {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser",
		"google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no chromium on this machine: the page is not looked at in a browser")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args = append([]string{"--headless", "--no-sandbox", "--disable-gpu",
		"--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
		"--user-data-dir=" + t.TempDir()}, args...)
	cmd := exec.CommandContext(ctx, path, args...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	require.NoError(t, cmd.Run(), "%s", log.String())
	return out.String()
}

// A real browser shows the finding, keeps stacks folded, runs nothing of a
// hostile dump, and needs no sideways scrolling on a phone.
func TestHTMLInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	for name, p := range map[string]*Snapshot{
		"incident": stuckAt(map[int]int{212: 7978}), "hostile": hostile(),
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(fakeHandler(func() *Snapshot { return p }))
			defer server.Close()
			dom := browser(t, "--dump-dom", server.URL)
			assert.Contains(t, dom, "goroutines are blocked sending in")
			assert.NotContains(t, dom, "<title>owned")
			assert.NotContains(t, dom, "<script")
			assert.Contains(t, dom, `<details class="stack">`)
			assert.NotContains(t, dom, "<details open")
		})
	}
	t.Run("phone", func(t *testing.T) { measure(t, hostile()) })
}

// measure puts the page into a frame as wide as a phone and has the browser
// itself measure it.
func measure(t *testing.T, p *Snapshot) {
	var page bytes.Buffer
	require.NoError(t, Diagnose(Rules{}, p).WriteHTML(&page))
	_, body, _ := strings.Cut(page.String(), "<meta name=")
	probe := "<!DOCTYPE html><meta name=" // without the policy, for the probe
	probe += strings.Replace(body, "</body>", `<script>
document.body.style.width="360px";document.body.style.margin="0";document.body.style.maxWidth="360px";
document.querySelectorAll("details").forEach(d=>d.open=true);
let wide=0;document.querySelectorAll("body *").forEach(e=>{
 if(e.getBoundingClientRect().right>390)wide++});
let bar=document.querySelector(".bar rect").getBoundingClientRect();
let folded=document.querySelector("details.stack pre").getBoundingClientRect().height;
let target=document.querySelector("summary").getBoundingClientRect().height;
document.title="wide="+wide+" bar="+(bar.width>100)+" unfolds="+(folded>10)+" thumb="+(target>=36);
</script></body>`, 1)
	file := t.TempDir() + "/page.html"
	require.NoError(t, os.WriteFile(file, []byte(probe), 0o600))
	dom := browser(t, "--dump-dom", "file://"+file)
	assert.Contains(t, dom, "<title>wide=0 bar=true unfolds=true "+
		"thumb=true</title>")
}

// manyFindings is a report with n of them, the last one a warning.
func manyFindings(n int) *Report {
	r := &Report{Goroutines: 7 * n, Judged: 7 * n}
	for i := range n {
		r.Add(Finding{Severity: Warning, Operation: ChanSend, Count: 7,
			Function: "app.f" + printable.Number(i), File: "app.go", Line: i + 1,
			Sentence: "7 are stuck in app.f" + printable.Number(i),
			Evidence: []string{"because " + printable.Number(i)}})
	}
	return r
}

// The findings beyond the first ones are folded into one line, and none is
// left out.
func TestHTMLMany(t *testing.T) {
	page := pageOf(t, manyFindings(400))
	_, folded, ok := strings.Cut(page, `<details class="more"><summary>380 more `+
		"findings</summary>")
	require.True(t, ok)
	assert.Equal(t, 400, strings.Count(page, `<section class="finding warning"`))
	assert.Equal(t, 380, strings.Count(folded, `<section class="finding warning"`))
	assert.NotContains(t, pageOf(t, manyFindings(20)), `class="more"`)
}

// The page says once that all is in order, and only if it is.
func TestHTMLInOrder(t *testing.T) {
	r := Diagnose(Rules{}, parseOne(t, "goroutine 1 [running]:\nmain.main()\n"+
		"\t/src/main.go:1 +0x1\n"))
	page := pageOf(t, r)
	_, body, _ := strings.Cut(page, "<body>")
	assert.Equal(t, 1, strings.Count(body, "nothing stuck"))
	assert.NotContains(t, body, "looks stuck")
	assert.Contains(t, body, "stack of 1 call<")
}
