package doctor

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
	assert.Contains(t, b.String(), "width:37.5%")
	assert.Contains(t, b.String(), "width:62.5%")
	r.Goroutines = 0 // a report that was made by hand
	require.NoError(t, r.WriteHTML(&b))
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
	probe := strings.Replace(page.String(), "</body>", `<script>
document.body.style.width="360px";document.body.style.margin="0";document.body.style.maxWidth="360px";
document.querySelectorAll("details").forEach(d=>d.open=true);
let wide=0;document.querySelectorAll("body *").forEach(e=>{
 if(e.getBoundingClientRect().right>390)wide++});
let bar=document.querySelector(".bar i").getBoundingClientRect();
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
