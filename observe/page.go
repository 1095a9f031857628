package observe

import (
	"bytes"
	"fmt"
	"html/template"

	"example.com/chanx"
	"example.com/chanx/doctor"
	"example.com/chanx/internal/csp"
	"example.com/chanx/internal/printable"
)

func (v *view) html() []byte {
	var b bytes.Buffer
	// An error is of the template, which the tests execute in full.
	_ = page.Execute(&b, struct {
		*view
		View          *view
		Policy, Style any
	}{v, v, template.HTMLAttr(`content="` + pagePolicy + `"`),
		template.CSS(pageStyle)})
	return b.Bytes()
}

// maxRows is how many workers of a supervisor the page shows.
const maxRows = 100

var pagePolicy = csp.Policy(pageStyle)

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"count": printable.Number[uint64],
	"num":   printable.Number[int],
	"bytes": size,
	"fill":  fill,
	"rate":  Rate.text,
	"bar": func(n, of int) string {
		// Stats that are not ours may have any numbers.
		return fmt.Sprintf("%.1f", 100*float64(max(n, 0))/float64(max(of, n, 1)))
	},
	"bad": func(w Worker) string {
		if s := severity(w.State, w.CrashLooping); s >= doctor.Info {
			return s.String()
		}
		return ""
	},
	"rows": func(all []Worker) []Worker { return all[:min(len(all), maxRows)] },
	"rest": func(s Supervisor) int {
		return s.Omitted + max(0, len(s.Workers)-maxRows)
	},
	"title":    (*view).title,
	"identity": (*view).identity,
	"judged":   (*view).judged,
	"program":  func(v *view) string { return v.process().Program },
	"since":    (*view).since,
	"stalled":  (*view).stalled,
	"trouble":  func(g Log) string { return g.trouble() },
	"ended": func(w Worker) string {
		if w.State == chanx.StateStopped {
			return "ended" // by its context, as a rule
		}
		return "last error"
	},
	"state":   func(w Worker) string { return w.state() },
	"exits":   func(w Worker) string { return w.exits() },
	"summary": func(s Supervisor) string { return s.summary() },
	"worst": func(v *view) string {
		if len(v.Problems) == 0 || v.Problems[0].Severity == doctor.Info {
			return "well"
		}
		return v.Problems[0].Severity.String()
	},
}).Parse(pageText))

// size is "512 B", "1.5 KiB", "12 MiB".
func size(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	f, i := float64(n), 0
	for f >= 1000 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	if f < 10 && i > 0 {
		return fmt.Sprintf("%.1f %s", f, units[i])
	}
	return fmt.Sprintf("%.0f %s", f, units[i])
}

const pageStyle = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--critical:#c11;--warning:#b60;--info:#27b;--well:#183}
@media (prefers-color-scheme:dark){:root{--critical:#f66;--warning:#fa4;--info:#6bf;--well:#6c8}}
body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:.75rem;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:.25rem 0}h2{font-size:1.1rem;margin:1.75rem 0 .25rem}
p{margin:.25rem 0}ul{margin:.5rem 0;padding:0;list-style:none}
.meta{opacity:.8;font-size:.9rem}
.critical h1,.bad-critical{color:var(--critical)}.warning h1,.bad-warning{color:var(--warning)}.well h1{color:var(--well)}
.problem{border-left:.4rem solid #888;padding:.4rem .75rem;margin:.5rem 0;background:var(--soft)}
.problem.critical{border-color:var(--critical)}.problem.warning{border-color:var(--warning)}.problem.info{border-color:var(--info)}
.label{font-weight:700;text-transform:uppercase;font-size:.8rem;margin-right:.5rem}
.critical .label{color:var(--critical)}.warning .label{color:var(--warning)}.info .label{color:var(--info)}
nav{display:flex;flex-wrap:wrap;gap:.5rem;margin:.75rem 0}
nav a{border:1px solid var(--line);border-radius:.4rem;padding:.45rem .7rem;min-height:1.5rem;text-decoration:none}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.35rem 1.25rem .35rem 0;border-top:1px solid var(--line)}
th{font-size:.85rem;opacity:.8;font-weight:600;border-top:0}
th{white-space:nowrap}td.name{overflow-wrap:break-word;min-width:9rem;max-width:22rem}td.len{width:40%}td.rate{min-width:12rem}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.name{font-weight:600}.bad-critical,.bad-warning{font-weight:700}
tr.note td{border-top:0;padding-top:0;font-size:.9rem}
.bar{display:block;width:100%;min-width:5rem;height:.5rem;margin:.2rem 0;border-radius:.25rem;background:var(--line);fill:var(--info)}.bar.bad-warning{fill:var(--warning)}
pre{font:13px/1.4 ui-monospace,monospace;white-space:pre-wrap;margin:.25rem 0;padding:.4rem;background:var(--soft)}
summary{cursor:pointer;padding:.5rem 0;min-height:1.5rem}
@media (max-width:40rem){
table,tbody,tr,td{display:block}thead{display:none}
tr{border-top:1px solid var(--line);padding:.4rem 0}tr.note{border-top:0;padding-top:0}
td,td.n,td.name,td.rate,td.len{border:0;width:auto;min-width:0;max-width:none;padding:.05rem 0;text-align:left;white-space:normal}
td[data-of]::before{content:attr(data-of) " ";opacity:.8;font-size:.9rem}
td.pair{display:inline-block;margin-right:1rem}td:empty{display:none}
}
@media print{nav{display:none}}
`

const pageText = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" {{.Policy}}>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{title .View}}: {{program .View}}</title>
<style>{{.Style}}</style></head><body class="{{worst .View}}">
<p class="meta">{{identity .View}}</p>
<h1>{{title .View}}</h1>
{{with .Problems}}<ul>{{range .}}<li class="problem {{.Severity}}"><span class="label">{{.Severity}}</span> {{.Sentence}}.</li>
{{end}}</ul>
{{end}}<nav><a href="?">Refresh</a><a href="?stacks=1">Goroutines and stacks</a><a href="?format=text">Text</a><a href="?format=json">JSON</a></nav>
<p class="meta">{{judged .View}}.</p>
{{range .Report.Notes}}<p class="meta">Not looked at: {{.}}.</p>
{{end}}{{range .Supervisors}}<h2>Supervisor {{.Name}}</h2>
<p class="meta">{{summary .}}</p>
{{if .Workers}}<table><thead><tr><th>Worker<th>State<th>For<th class="n">Restarts<th>Exits</tr></thead><tbody>
{{range rows .Workers}}<tr><td class="name">{{.Name}}</td><td class="pair{{with bad .}} bad-{{.}}{{end}}">{{state .}}</td><td class="pair" data-of="for">{{since $.View .Since}}</td><td class="n pair" data-of="restarts">{{num .Restarts}}</td><td class="pair" data-of="exits">{{exits .}}</td></tr>
{{if .LastError}}<tr class="note"><td colspan="5"><span class="meta">{{ended .}}{{if not .LastErrorAt.IsZero}} {{since $.View .LastErrorAt}} ago{{end}}:</span> {{.LastError}}{{with .Stack}}<details><summary class="meta">stack</summary><pre>{{.}}</pre></details>{{end}}</td></tr>
{{end}}{{end}}</tbody></table>
{{end}}{{with rest .}}<p class="meta">and {{num .}} more</p>
{{end}}{{end}}{{if .Logs}}<h2>Logs</h2>
<table><thead><tr><th>Log<th class="n">Accepted<th class="n">= written<th class="n">+ dropped<th class="n">+ buffered<th>Rate</tr></thead><tbody>
{{range .Logs}}<tr><td class="name">{{.Name}}</td><td class="n pair" data-of="accepted">{{count .Accepted.Records}}</td><td class="n pair" data-of="= written">{{count .Written.Records}}</td><td class="n pair{{if .Rate.Dropped}} bad-warning{{end}}" data-of="+ dropped">{{count .Dropped.Records}}</td><td class="n pair" data-of="+ buffered">{{count .Buffered.Records}}{{if .Buffered.Bytes}} ({{bytes .Buffered.Bytes}}){{end}}</td><td class="rate">{{rate .Rate}}</td></tr>
{{$trouble := trouble .}}{{if or .Stalled $trouble .LastError}}<tr class="note"><td colspan="6">{{with stalled $.View .}}<span class="bad-critical">{{.}}</span> {{end}}{{with $trouble}}<span>{{.}}.</span> {{end}}{{if .LastError}}<span class="meta">last error {{since $.View .LastErrorAt}} ago:</span> {{.LastError}}{{end}}</td></tr>
{{end}}{{end}}</tbody></table>
{{end}}{{if .Rings}}<h2>Rings</h2>
<table><thead><tr><th>Ring<th>Len / cap<th class="n">Most ever<th class="n">Sent<th class="n">Dropped<th>Rate</tr></thead><tbody>
{{range .Rings}}<tr><td class="name">{{.Name}}</td>{{if .Error}}<td colspan="5" class="bad-warning">Stats {{.Error}}</td>{{else}}<td class="len">{{template "bar" .}}</td><td class="n pair" data-of="most ever">{{num .HighWater}}</td><td class="n pair" data-of="sent">{{count .Sent}}</td><td class="n pair{{if .Rate.Dropped}} bad-warning{{end}}" data-of="dropped">{{count .Dropped}}</td><td class="rate">{{rate .Rate}}</td>{{end}}</tr>
{{end}}</tbody></table>
{{end}}{{if .Broadcasts}}<h2>Broadcasts</h2>
<table><thead><tr><th>Broadcast<th>Len / cap<th class="n">Sent<th class="n">Subscribers<th>Rate</tr></thead><tbody>
{{range .Broadcasts}}<tr><td class="name">{{.Name}}</td>{{if .Error}}<td colspan="4" class="bad-warning">Stats {{.Error}}</td>{{else}}<td class="len">{{template "bar" .}}</td><td class="n pair" data-of="sent">{{count .Sent}}</td><td class="n pair" data-of="subscribers">{{num .Subscribers}}</td><td class="rate">{{rate .Rate}}</td>{{end}}</tr>
{{end}}</tbody></table>
{{end}}</body></html>
{{define "bar"}}{{fill .Len .Cap}}<svg class="bar{{if .Rate.Dropped}} bad-warning{{end}}" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" aria-label="{{bar .Len .Cap}}% full"><rect width="{{bar .Len .Cap}}" height="1"/></svg>{{end}}`
