package doctor

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strings"
	"time"

	"example.com/chanx/internal/csp"
	"example.com/chanx/internal/printable"
)

// WriteHTML writes the report as one page that needs nothing else: no
// script, no font, no picture, readable on a phone and printable. The page
// forbids itself everything but its own style. Evidence, stacks and the places
// in order are folded, a bar shows the size of each group. Everything from the
// input is escaped. The error is w's.
func (r *Report) WriteHTML(w io.Writer) error { return r.writePage(w, nil) }

// link leads from the page of a handler to another form of its answer.
type link struct{ Href, Text string }

// links leads to the other forms of an answer, with or without a full dump.
// They are relative: a handler does not know where it is mounted.
func links(stacks bool) []link {
	if stacks {
		return []link{{"?stacks=1", "Refresh"}, {"?", "Without stacks"},
			{"?format=text&stacks=1", "Text"}, {"?format=json&stacks=1", "JSON"}}
	}
	return []link{{"?", "Refresh"}, {"?stacks=1", "Stacks and waiting times"},
		{"?format=text", "Text"}, {"?format=json", "JSON"}}
}

func (r *Report) writePage(w io.Writer, links []link) error {
	var b bytes.Buffer
	first, more := r.shown()
	err := page.Execute(&b, struct {
		*Report
		Links         []link
		Policy, Style any
		First, More   []shown
		InOrder, Rest []Group
	}{r, links, template.HTMLAttr(`content="` + pagePolicy + `"`),
		template.CSS(pageStyle), first, more, r.inOrder(true), r.inOrder(false)})
	if err != nil {
		return err
	}
	_, err = w.Write(bytes.Map(func(c rune) rune {
		if c == '\n' {
			return c
		}
		return printable.Rune(c)
	}, b.Bytes()))
	return err
}

// shown is a finding on the page.
type shown struct {
	Finding
	Line string // its parts that the root lacks
	Of   int    // all goroutines
}

// shown returns the findings, and those beyond maxFull.
func (r *Report) shown() (first, more []shown) {
	for _, f := range r.Findings {
		first = append(first, shown{f, f.line(r.Root), r.Goroutines})
	}
	cut := min(len(first), maxFull)
	return first[:cut], first[cut:]
}

// inOrder returns the groups that are in order, or the others.
func (r *Report) inOrder(want bool) []Group {
	var groups []Group
	for _, g := range r.Groups {
		if g.inOrder() == want {
			groups = append(groups, g)
		}
	}
	return groups
}

// inOrder reports whether g is idle by design or at work, and no finding.
func (g *Group) inOrder() bool {
	return (g.Verdict == VerdictIdle || g.Verdict == VerdictWorking) && !g.Reported
}

var pagePolicy = csp.Policy(pageStyle)

// symbols finds the functions and places in a sentence: a package, perhaps
// with a path, a dot, and names, receivers and type arguments; or a name behind
// a receiver; and a file with its line.
var symbols = regexp.MustCompile(
	`(?:[\w.~-]+/)*[\w~-]*(?:\.?\(\*[\w.]+(?:\[[^\]\s]*\])?\))?` +
		`\.[A-Za-z_]\w*(?:\[[^\]\s]*\])?(?:\.\w+(?:\[[^\]\s]*\])?)*(?::\d+)?`)

// code escapes a sentence and sets the functions in it in monospace.
func code(sentence string) template.HTML {
	var b strings.Builder
	at := 0
	for _, m := range symbols.FindAllStringIndex(sentence, -1) {
		text := template.HTMLEscapeString(sentence[m[0]:m[1]])
		b.WriteString(template.HTMLEscapeString(sentence[at:m[0]]))
		b.WriteString("<code>" + text + "</code>")
		at = m[1]
	}
	b.WriteString(template.HTMLEscapeString(sentence[at:]))
	return template.HTML(b.String())
}

// who names the process of an instance: "web-1, server 4711 (v1.2.3, go1.27.0),
// up 3h12m0s".
func who(i Instance) string {
	p := i.Process
	if p == nil {
		return i.Name
	}
	var version []string
	for _, v := range []string{strings.Trim(p.Version, "()"), p.Go} {
		if v != "" {
			version = append(version, v)
		}
	}
	s := fmt.Sprintf("%s, %s, pid %d", p.Host, p.Program, p.PID)
	if len(version) > 0 {
		s += " (" + strings.Join(version, ", ") + ")"
	}
	if up := i.Taken.Sub(p.Started); up > 0 && !p.Started.IsZero() {
		s += ", up " + up.Round(time.Second).String()
	}
	return s
}

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"number": printable.Number[int],
	"call":   call,
	"code":   code,
	"who":    who,
	"name": func(g Group) string {
		return name(Frame{Func: g.Function, File: g.File, Line: g.Line})
	},
	"doing":     doing,
	"tree":      tree,
	"targets":   func(r *Report) string { return r.targets() },
	"judged":    func(r *Report) string { return r.judged() },
	"on":        func(f shown, instance string) string { return f.on(instance) },
	"members":   func(s *Stack) string { return s.who() },
	"assurance": func(f shown) string { return f.assurance() },
	"tally":     func(r *Report) string { return r.tally() },
	"longest":   func(s *Stack) int { return s.longest() },
	"plural":    printable.Plural[int],
	"utc": func(t time.Time) string {
		return t.UTC().Format("2006-01-02 15:04:05 UTC")
	},
	"total": func(groups []Group) (n int) {
		for _, g := range groups {
			n += g.Count
		}
		return n
	},
	"share": func(n, of int) string {
		return fmt.Sprintf("%.1f", 100*float64(n)/float64(max(of, n, 1)))
	},
	"bar": func(n, of int) []int { return []int{n, of} },
}).Parse(pageText))

const pageStyle = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--critical:#c11;--warning:#b60;--info:#27b}
@media (prefers-color-scheme:dark){:root{--critical:#f66;--warning:#fa4;--info:#6bf}}
body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;max-width:64rem;padding:.75rem;overflow-wrap:anywhere}
h1{font-size:1.35rem;margin:.25rem 0}h2{font-size:1.05rem;margin:1.5rem 0 .25rem}
p{margin:.25rem 0}ul{margin:.25rem 0;padding-left:1.2rem}
.root{font-weight:600}
.meta{opacity:.8;font-size:.9rem}
nav{display:flex;flex-wrap:wrap;gap:.5rem;margin:.5rem 0}
nav a{border:1px solid var(--line);border-radius:.4rem;padding:.45rem .7rem;min-height:1.5rem;text-decoration:none}
code{font:.9em/1.4 ui-monospace,monospace}
pre{font:13px/1.4 ui-monospace,monospace;white-space:pre-wrap;margin:.25rem 0;padding:.4rem;background:var(--soft)}
.finding{border-left:.4rem solid #888;padding:.4rem .75rem;margin:.75rem 0;background:var(--soft)}
.critical{border-color:var(--critical)}.warning{border-color:var(--warning)}.info{border-color:var(--info)}
.waits{list-style:none;padding-left:.9rem;border-left:2px solid var(--line)}.waits li{margin:.2rem 0}
.label{font-weight:700;text-transform:uppercase;font-size:.8rem}
.critical .label{color:var(--critical)}.warning .label{color:var(--warning)}.info .label{color:var(--info)}
summary{cursor:pointer;padding:.5rem 0;min-height:1.5rem}
.group{border-top:1px solid var(--line)}.group .group{margin-left:.5rem}
.verdict{display:inline-block;min-width:4.2em;font-weight:700;font-size:.85rem}
.stuck{color:var(--critical)}.slow{color:var(--warning)}.unknown{color:var(--info)}
.bar{display:block;width:100%;height:.45rem;margin:.3rem 0;border-radius:.25rem;background:var(--line);fill:#888}
.critical .bar,.stuck .bar{fill:var(--critical)}.warning .bar{fill:var(--warning)}.info .bar{fill:var(--info)}
@media print{nav{display:none}.why::details-content{content-visibility:visible}}
`

const pageText = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" {{.Policy}}>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{tally .Report}}: {{number .Goroutines}} goroutines</title>
<style>{{.Style}}</style></head><body>
{{if eq (len .Instances) 1}}{{with index .Instances 0}}<p class="meta who">{{who .}}{{if not .Taken.IsZero}}; {{utc .Taken}}{{end}}</p>
{{end}}{{end}}<h1>{{tally .Report}}</h1>
{{if and .Root (ne .Root (tally .Report))}}<p class="root">{{code .Root}}.</p>
{{end}}<p class="meta">{{targets .Report}}: {{judged .Report}}.{{if .Truncated}} The input is cut short, counts are lower bounds.{{end}}{{if .Extract}} The input is a part of a dump: the goroutine that others wait for may be in the rest.{{end}}</p>
{{range .Notes}}<p class="meta">Not looked at: {{code .}}.</p>
{{end}}{{with .Links}}<nav>{{range .}}<a href="{{.Href}}">{{.Text}}</a>{{end}}</nav>
{{end}}{{with .Banner}}<pre>{{.}}</pre>
{{end}}{{with .Waits}}<h2>Who waits for whom</h2>
{{template "waits" tree .}}{{end}}{{range .First}}{{template "finding" .}}{{end}}{{with .More}}<details class="more"><summary>{{plural (len .) "more finding"}}</summary>
{{range .}}{{template "finding" .}}{{end}}</details>
{{end}}{{if .Changes}}<h2>Since the first snapshot</h2><ul>
{{range .Changes}}<li><code>{{.Function}}</code>: {{number .Then}} then, {{number .Now}} now</li>
{{end}}</ul>
{{end}}<h2>All goroutines by place</h2>
{{range .Rest}}{{template "group" .}}{{end}}
{{- with .InOrder}}<details class="group order"><summary><span class="verdict">in order</span> {{plural (total .) "goroutine"}} in {{plural (len .) "place"}}, idle by design or at work</summary>
{{range .}}{{template "group" .}}{{end}}</details>
{{end}}{{if gt (len .Instances) 1}}<details class="group"><summary>{{plural (len .Instances) "instance"}}</summary><ul>
{{range .Instances}}<li>{{who .}}: {{plural .Goroutines "goroutine"}}{{if not .Taken.IsZero}}; {{utc .Taken}}{{end}}</li>
{{end}}</ul></details>
{{end}}{{if .Unreadable}}<h2>Not understood: {{number .Unreadable}}</h2><ul>
{{range .Troubles}}<li>{{if .Line}}line {{.Line}}: {{end}}{{.Why}}{{with .Text}}: <code>{{.}}</code>{{end}}</li>
{{end}}</ul>
{{end}}</body></html>
{{define "finding"}}<section class="finding {{.Severity}}" aria-label="{{.Sentence}}">
<p class="label">{{.Severity}}</p>
<p class="sentence">{{code .Line}}.</p>
{{template "bar" bar .Count .Of}}
{{if .Evidence}}<details class="why"><summary class="meta">{{assurance .}}: {{plural (len .Evidence) "reason"}}</summary>
<ul>{{range .Evidence}}<li>{{code .}}</li>{{end}}</ul></details>
{{else}}<p class="meta">{{assurance .}}</p>
{{end}}{{if .Instances}}<details class="instances"><summary class="meta">on {{plural (len .Instances) "instance"}}</summary>
<ul>{{$f := .}}{{range $name, $n := .Instances}}<li>{{on $f $name}}</li>{{end}}</ul></details>
{{end}}{{template "stacks" .Stacks}}</section>
{{end}}
{{define "waits"}}<ul class="waits">{{range .}}<li>{{code .Text}}{{with .Below}}{{template "waits" .}}{{end}}</li>
{{end}}</ul>{{end}}
{{define "bar"}}<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" aria-label="{{share (index . 0) (index . 1)}}% of all goroutines"><rect width="{{share (index . 0) (index . 1)}}" height="1"/></svg>{{end}}
{{define "group"}}<details class="group"><summary><span class="verdict {{.Verdict}}">{{.Verdict}}</span> {{number .Count}} {{doing .Operation}} in <code>{{name .}}</code></summary>
<p class="meta">{{code .Why}}{{with .Entry}} ({{.}}){{end}}</p>
{{template "stacks" .Stacks}}</details>
{{end}}
{{define "stacks"}}{{range $i, $s := .}}{{if lt $i 5}}<details class="stack"><summary class="meta">{{members $s}}, stack of {{plural (len $s.Frames) "call"}}{{with longest $s}}, longest wait {{plural . "minute"}}{{end}}</summary>
<pre>{{range $s.Frames}}{{call .}}
{{end}}{{with $s.CreatedBy}}{{if .Func}}created by {{call .}}{{end}}{{end}}</pre></details>
{{end}}{{end}}{{if gt (len .) 5}}<p class="meta">and {{plural (len (slice . 5)) "more stack"}}</p>{{end}}{{end}}`
