package main

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"time"
)

// The picture is written by hand: two panels with two lines each are not worth
// a dependency. It brings its colours for light and dark with it.
const pictureHead = `<svg xmlns="http://www.w3.org/2000/svg" ` +
	`viewBox="0 0 760 600" role="img" aria-labelledby="t d">
<title id="t">One log consumer is gone: before and after</title>
<desc id="d">%s</desc>
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.head { font-size: 15px; font-weight: 600 }
.dim { fill: #59636e }
.paper { fill: #ffffff }
.band { fill: #f3e3d3 }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.before { stroke: #b93a0b } .after { stroke: #0560a6 }
text.before { fill: #b93a0b; stroke: none }
text.after { fill: #0560a6; stroke: none }
polyline { fill: none; stroke-width: 2.5; stroke-linejoin: round }
polyline.thin { stroke-width: 1 }
polyline.after { stroke-dasharray: 7 3 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .dim { fill: #9198a1 }
.paper { fill: #0d1117 } .band { fill: #3a2a1c } .grid { stroke: #3d444d }
.before { stroke: #ff9a57 } .after { stroke: #6cb6ff }
text.before { fill: #ff9a57 } text.after { fill: #6cb6ff }
}
</style>
<rect class="paper" width="760" height="600"/>
`

// Where the panels stand, in units of the viewBox.
const (
	left, right = 56.0, 640.0
	height      = 190.0
)

// panel is one diagram over time.
type panel struct {
	title string
	top   float64
	of    func(reading) int
	thin  func(reading) int // of before alone; nil: nothing

	width time.Duration
	most  float64 // at its upper edge
}

// picture draws the film: goroutines above, answered requests below. While a
// client waits, its connection has a goroutine of its own besides the one that
// is blocked, so the count falls as clients give up; the thin line tells the
// two apart. The film
// has a sample at least, since watch takes one at once.
func picture(rep *report, film []sample) []byte {
	var svg bytes.Buffer
	fmt.Fprintf(&svg, pictureHead, fmt.Sprintf("Fault %s: before answered %d "+
		"of %d requests, after %d.", rep.Fault, rep.Before.answers(),
		len(phases)*rep.Requests, rep.After.answers()))
	fmt.Fprintf(&svg, `<text class="head" x="%g" y="28">The log's consumer `+
		`meets the fault "%s": the same load on both servers</text>`+"\n",
		left, rep.Fault)
	for _, p := range []*panel{
		{title: "goroutines (thin: those of before in a channel send)",
			top: 96, of: func(r reading) int { return r.Now },
			thin: func(r reading) int { return r.Blocked }},
		{title: "requests answered, in all",
			top: 370, of: func(r reading) int { return r.Answered }},
	} {
		p.fit(film)
		p.draw(&svg, film)
	}
	svg.WriteString("</svg>\n")
	return svg.Bytes()
}

func (s serverReport) answers() (n int) {
	for _, p := range s.Phases {
		n += p.Answered
	}
	return n
}

// fit chooses the scales: time ends with the film, and the upper edge is the
// next multiple of four steps of 1, 2 or 5 times a power of ten.
func (p *panel) fit(film []sample) {
	p.width = max(film[len(film)-1].At, time.Second)
	most := 4.0
	for _, s := range film {
		most = max(most, float64(p.of(s.Before)), float64(p.of(s.After)))
	}
	step := math.Pow(10, math.Floor(math.Log10(most/4)))
	for _, by := range [...]float64{2, 2.5, 2} { // 1, 2, 5, 10
		if step*4 < most {
			step *= by
		}
	}
	p.most = step * 4
}

func (p *panel) x(at time.Duration) float64 {
	return left + (right-left)*min(float64(at)/float64(p.width), 1)
}

func (p *panel) y(value float64) float64 {
	return p.top + height*(1-value/p.most)
}

func (p *panel) draw(svg *bytes.Buffer, film []sample) {
	p.bands(svg, film)
	fmt.Fprintf(svg, `<text class="head" x="%g" y="%g">%s</text>`+"\n",
		left, p.top-26, p.title)
	for i := range 5 {
		value := p.most * float64(i) / 4
		fmt.Fprintf(svg, `<path class="grid" d="M%g %.1fH%g"/>`+
			`<text class="dim" text-anchor="end" x="%g" y="%.1f">%g</text>`+"\n",
			left, p.y(value), right, left-8, p.y(value)+4, value)
	}
	for at := time.Duration(0); at <= p.width; at += p.tick() {
		fmt.Fprintf(svg, `<text class="dim" text-anchor="middle" x="%.1f" `+
			`y="%g">%gs</text>`+"\n", p.x(at), p.top+height+18, at.Seconds())
	}
	if p.thin != nil {
		p.line(svg, "before thin", film,
			func(s sample) int { return p.thin(s.Before) })
	}
	before := func(s sample) int { return p.of(s.Before) }
	after := func(s sample) int { return p.of(s.After) }
	p.line(svg, "before", film, before)
	p.line(svg, "after", film, after)
	p.labels(svg, before(film[len(film)-1]), after(film[len(film)-1]))
}

// tick returns the time between two labels: about ten fit.
func (p *panel) tick() time.Duration {
	return max(p.width/10, time.Second).Truncate(time.Second)
}

// bands shades the time of the fault and names the phases.
func (p *panel) bands(svg *bytes.Buffer, film []sample) {
	for i := 0; i < len(film); {
		first, next := film[i], i+1
		for next < len(film) && film[next].Phase == first.Phase {
			next++
		}
		from, to := p.x(first.At), right
		if next < len(film) {
			to = p.x(film[next].At)
		}
		if first.Phase == struck {
			fmt.Fprintf(svg, `<rect class="band" x="%.1f" y="%g" `+
				`width="%.1f" height="%g"/>`+"\n", from, p.top, to-from, height)
		}
		fmt.Fprintf(svg, `<text class="dim" x="%.1f" y="%g">%s</text>`+"\n",
			from+4, p.top-8, phases[first.Phase].name)
		i = next
	}
}

func (p *panel) line(svg *bytes.Buffer, class string, film []sample, of func(sample) int) {
	points := make([]string, len(film))
	for i, s := range film {
		points[i] = fmt.Sprintf("%.1f,%.1f", p.x(s.At), p.y(float64(of(s))))
	}
	fmt.Fprintf(svg, `<polyline class="%s" points="%s"/>`+"\n",
		class, strings.Join(points, " "))
}

// labels names the lines at their ends, apart from each other even if the
// lines are not.
func (p *panel) labels(svg *bytes.Buffer, before, after int) {
	b, a := p.y(float64(before))+4, p.y(float64(after))+4
	if gap := 16.0; math.Abs(a-b) < gap {
		middle := min((a+b)/2, p.top+height-gap/2)
		if a < b {
			gap = -gap
		}
		b, a = middle-gap/2, middle+gap/2
	}
	for _, l := range [...]struct {
		class string
		y     float64
		value int
	}{{"before", b, before}, {"after", a, after}} {
		fmt.Fprintf(svg, `<text class="%s" x="%g" y="%.1f">%s: %d</text>`+"\n",
			l.class, right+8, l.y, l.class, l.value)
	}
}
