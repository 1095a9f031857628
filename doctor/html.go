package doctor

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
)

// WriteHTML writes the report as one page that needs nothing else: no
// script, no font, no picture, readable on a phone and printable. Stacks are
// folded, a bar shows the size of each group. Everything from the input is
// escaped. The error is w's.
func (r *Report) WriteHTML(w io.Writer) error {
	var b bytes.Buffer
	if err := page.Execute(&b, r); err != nil {
		return err
	}
	_, err := w.Write(bytes.Map(func(c rune) rune {
		if c == '\n' {
			return c
		}
		return visible(c)
	}, b.Bytes()))
	return err
}

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"number": number,
	"call":   call,
	"name": func(function, file string, line int) string {
		return name(Frame{Func: function, File: file, Line: line})
	},
	"doing":   doing,
	"tally":   func(r *Report) string { return r.tally() },
	"longest": func(s *Stack) int { return s.longest() },
	"plural":  plural,
	"percent": func(n, of int) string {
		return fmt.Sprintf("%.1f", 100*float64(n)/float64(max(of, n, 1)))
	},
}).Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{tally .}}: {{number .Goroutines}} goroutines</title>
<style>
:root{color-scheme:light dark}
body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:.75rem;overflow-wrap:anywhere}
h1{font-size:1.3rem;margin:.25rem 0}h2{font-size:1.05rem;margin:1.5rem 0 .25rem}
.finding{border-left:.4rem solid #888;padding:.4rem .75rem;margin:.75rem 0;background:#8881}
.critical{border-color:#d11}.warning{border-color:#e90}.info{border-color:#28c}
.finding p{margin:.2rem 0}.label{font-weight:700;text-transform:uppercase;font-size:.8rem}
.meta{opacity:.75;font-size:.9rem}
.bar{height:.5rem;background:#8883;border-radius:.25rem;margin:.3rem 0}
.bar i{display:block;height:100%;min-width:2px;border-radius:.25rem;background:#888}
.critical .bar i{background:#d11}.warning .bar i{background:#e90}.info .bar i{background:#28c}
summary{cursor:pointer;padding:.5rem 0;min-height:1.5rem}
pre{font:13px/1.4 ui-monospace,monospace;white-space:pre-wrap;margin:.2rem 0;padding:.4rem;background:#8881}
ul{margin:.2rem 0;padding-left:1.2rem}
</style></head><body>
<h1>{{tally .}}</h1>
<p class="meta">{{plural .Goroutines "goroutine"}} in {{range $i, $t := .Targets}}{{if $i}}, {{end}}{{$t}}{{end}}{{if .Truncated}}; the input is cut short, counts are lower bounds{{end}}</p>
{{with .Banner}}<pre>{{.}}</pre>{{end}}
{{range .Findings}}<section class="finding {{.Severity}}">
<p class="label">{{.Severity}}</p>
<p class="sentence">{{.Sentence}}.</p>
<div class="bar" title="{{percent .Count $.Goroutines}}% of all goroutines"><i style="width:{{percent .Count $.Goroutines}}%"></i></div>
<p class="meta">confidence {{.Confidence}}, receiver {{.Receiver}}</p>
{{if .Evidence}}<ul>{{range .Evidence}}<li>{{.}}</li>{{end}}</ul>{{end}}
{{if .Instances}}<ul>{{range $name, $n := .Instances}}<li>{{number $n}} on {{$name}}</li>{{end}}</ul>{{end}}
{{template "stacks" .Stacks}}</section>
{{else}}<p>No goroutine looks stuck.</p>
{{end}}
{{if .Changes}}<h2>Since the first snapshot</h2><ul>
{{range .Changes}}<li>{{.Function}}: {{number .Then}} then, {{number .Now}} now</li>
{{end}}</ul>{{end}}
<h2>All goroutines by place</h2>
{{range .Groups}}<details class="group"><summary>{{number .Count}} {{doing .Operation}} in {{name .Function .File .Line}}
<div class="bar"><i style="width:{{percent .Count $.Goroutines}}%"></i></div></summary>
<p class="meta">{{.Verdict}}: {{.Why}}{{with .Entry}} ({{.}}){{end}}</p>
{{template "stacks" .Stacks}}</details>
{{end}}
{{if .Unreadable}}<h2>Not understood: {{number .Unreadable}}</h2><ul>
{{range .Troubles}}<li>{{if .Line}}line {{.Line}}: {{end}}{{.Why}}{{with .Text}}: <code>{{.}}</code>{{end}}</li>
{{end}}</ul>{{end}}
</body></html>
{{define "stacks"}}{{range $i, $s := .}}{{if lt $i 5}}<details class="stack"><summary>{{plural $s.Count "goroutine"}}, stack of {{len $s.Frames}} calls{{with longest $s}}, longest wait {{plural . "minute"}}{{end}}</summary>
<pre>{{range $s.Frames}}{{call .}}
{{end}}{{with $s.CreatedBy}}{{if .Func}}created by {{call .}}{{end}}{{end}}</pre></details>
{{end}}{{end}}{{if gt (len .) 5}}<p class="meta">and {{len (slice . 5)}} more stacks</p>{{end}}{{end}}`))
