package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"strings"
	"time"
)

// pictureHead is followed by the panels. The picture is written by hand: two
// panels with two lines each are not worth a dependency.
const pictureHead = `<svg xmlns="http://www.w3.org/2000/svg" ` +
	`viewBox="0 0 760 600" role="img" aria-labelledby="t d">
<title id="t">One log consumer is gone: before and after</title>
<desc id="d">Fault %s: before answered %d of %d requests, after %d.</desc>
<style>
%s</style>
<rect class="paper" width="760" height="600"/>
<text class="head" x="56" y="28">The log's consumer meets the fault "%[1]s": ` +
	`the same load on both servers</text>
`

// pictureStyle has the colors, for light and dark.
//
//go:embed picture.css
var pictureStyle string

// The extent of a panel, in units of the viewBox.
const left, right, height = 56.0, 640.0, 190.0

// panel is one diagram over time.
type panel struct {
	bytes.Buffer
	samples []sample
	top     float64
	width   time.Duration
	most    float64 // at the upper edge
}

// picture draws the samples, of which there must be one: goroutines above,
// answered requests below. While a client waits, its connection has a second
// goroutine next to the blocked one, so the count falls as clients give up. The
// thin line shows the blocked ones alone.
func picture(rep *report, samples []sample) []byte {
	above := &panel{samples: samples, top: 96}
	fmt.Fprintf(above, pictureHead, rep.Fault, rep.Before.answers(),
		len(phases)*rep.Requests, rep.After.answers(), pictureStyle)
	above.draw("goroutines (thin: those of before in a channel send)",
		func(r reading) int { return r.Now })
	above.line("before thin", func(s sample) int { return s.Before.Blocked })
	below := &panel{samples: samples, top: 370}
	below.draw("requests answered, in all",
		func(r reading) int { return r.Answered })
	return append(append(above.Bytes(), below.Bytes()...), "</svg>\n"...)
}

func (p *panel) draw(title string, of func(reading) int) {
	before := func(s sample) int { return of(s.Before) }
	after := func(s sample) int { return of(s.After) }
	p.fit(before, after)
	p.bands()
	p.text("head", left, p.top-26, title)
	for i := range 5 {
		value := p.most * float64(i) / 4
		fmt.Fprintf(p, `<path class="grid" d="M%g %.1fH%g"/>`, left, p.y(value), right)
		p.text(`dim" text-anchor="end`, left-8, p.y(value)+4, fmt.Sprint(value))
	}
	tick := max(p.width/10, time.Second).Truncate(time.Second)
	for at := time.Duration(0); at <= p.width; at += tick {
		p.text(`dim" text-anchor="middle`, p.x(at), p.top+height+18,
			fmt.Sprint(at.Seconds(), "s"))
	}
	p.line("before", before)
	p.line("after", after)
	last := p.samples[len(p.samples)-1]
	p.labels(before(last), after(last))
}

// fit chooses the scales: time ends with the last sample, and the upper edge is
// the next multiple of four steps of 1, 2 or 5 times a power of ten.
func (p *panel) fit(lines ...func(sample) int) {
	p.width = max(p.samples[len(p.samples)-1].At, time.Second)
	most := 4.0
	for _, s := range p.samples {
		for _, of := range lines {
			most = max(most, float64(of(s)))
		}
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

func (p *panel) y(value float64) float64 { return p.top + height*(1-value/p.most) }

func (p *panel) text(class string, x, y float64, text string) {
	fmt.Fprintf(p, `<text class="%s" x="%.1f" y="%.1f">%s</text>`+"\n", class, x, y, text)
}

// bands shades the time of the fault and names the phases.
func (p *panel) bands() {
	for i, s := range p.samples {
		if i > 0 && s.Phase == p.samples[i-1].Phase {
			continue
		}
		from, to := p.x(s.At), right
		for _, next := range p.samples[i:] {
			if next.Phase != s.Phase {
				to = p.x(next.At)
				break
			}
		}
		if s.Phase == struck {
			fmt.Fprintf(p, `<rect class="band" x="%.1f" y="%g" width="%.1f" `+
				`height="%g"/>`+"\n", from, p.top, to-from, height)
		}
		p.text("dim", from+4, p.top-8, phases[s.Phase].name)
	}
}

func (p *panel) line(class string, of func(sample) int) {
	points := make([]string, len(p.samples))
	for i, s := range p.samples {
		points[i] = fmt.Sprintf("%.1f,%.1f", p.x(s.At), p.y(float64(of(s))))
	}
	fmt.Fprintf(p, `<polyline class="%s" points="%s"/>`+"\n",
		class, strings.Join(points, " "))
}

// labels names the lines at their ends, a line of text apart.
func (p *panel) labels(before, after int) {
	b, a := p.y(float64(before))+4, p.y(float64(after))+4
	if gap := 16.0; math.Abs(a-b) < gap {
		middle := min((a+b)/2, p.top+height-gap/2)
		b, a = middle-gap/2, middle+gap/2
		if before < after {
			b, a = a, b
		}
	}
	p.text("before", right+8, b, fmt.Sprint("before: ", before))
	p.text("after", right+8, a, fmt.Sprint("after: ", after))
}
