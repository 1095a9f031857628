package page

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strconv"

	"example.com/chanx/bench/rows"
)

// A picture is a chart with two logarithmic axes.
type picture struct {
	file, title, x, y string
	unit              rows.Unit // of y
	lines             []curve
}

type curve struct {
	name string
	x, y []float64
}

// pictures leaves out those of which nothing was measured.
func pictures(all []rows.Result) (drawn []picture) {
	f := finder{all}
	for _, p := range []picture{
		{file: "service", title: "A request's latency while the consumer hangs for 200 ms",
			x: "one request in this many is slower", y: "latency from the due time",
			unit: rows.Time, lines: f.curves(func(x float64) cell {
				return cell{contest: hangs, figure: map[float64]string{
					2: "p50", 10: "p90", 100: "p99", 1000: "p99.9"}[x]}
			}, []float64{2, 10, 100, 1000}, "channel", "SendTimeout, 10 ms",
				"select with default", "TrySend", "Ring", "asynclog, 64 kB")},
		{file: "flood", title: "What a delivered value costs in a flood",
			x: "senders", y: "CPU of senders and receiver", unit: rows.Time,
			lines: f.curves(func(x float64) cell {
				return cpu("", fmt.Sprintf("flood/a receiver; senders: %.0f", x), "")
			}, []float64{1, 2, 8, 64}, "channel", "Ring, Recv", "Ring, RecvBatch",
				"evict and retry", "xsync MPMC, evict with back-off",
				"go-diodes, Waiter")},
		{file: "broadcast", title: "A send to subscribers that are behind",
			x: "subscribers", y: "time of a send", unit: rows.Time,
			lines: f.curves(func(x float64) cell {
				return op("", fmt.Sprintf(
					"broadcast/a send; subscribers that are behind: %.0f", x), "")
			}, []float64{1, 8, 64, 1024}, "Broadcast", "select with default in a loop",
				"teivah Broadcast", "cskr/pubsub TryPub", "k8s watch, DropIfChannelFull")},
		{file: "cores", title: "A model: each core sends every microsecond",
			x: "cores", y: "sends of all cores", unit: rows.Rate,
			lines: f.curves(func(x float64) cell {
				return cell{contest: model1, figure: fmt.Sprintf("N=%.0f", x)}
			}, []float64{1, 2, 8, 32, 128}, "Ring", "a channel's lock",
				"fetch-and-add, at best", "a Ring for each 8 cores")},
	} {
		if len(p.lines) > 0 {
			drawn = append(drawn, p)
		}
	}
	return drawn
}

func (c *curve) add(x float64, rounds []float64) {
	if len(rounds) > 0 {
		if y := rows.Over(rounds).Median; y > 0 {
			c.x, c.y = append(c.x, x), append(c.y, y)
		}
	}
}

// curves has one for each name that has points: of the figure that at returns
// for each x.
func (f finder) curves(at func(x float64) cell, xs []float64, names ...string) (all []curve) {
	for _, name := range names {
		c := curve{name: name}
		for _, x := range xs {
			figure := at(x)
			figure.row = name
			c.add(x, f.rounds(figure))
		}
		if len(c.x) > 0 {
			all = append(all, c)
		}
	}
	return all
}

// colors are those of one scheme. The lines differ in dashes as well.
type colors struct {
	paper, ink, grid string
	lines            [6]string
}

var (
	light = colors{"#ffffff", "#1f2328", "#d8dee4", [6]string{
		"#0550ae", "#cf222e", "#116329", "#8250df", "#9a6700", "#57606a"}}
	dark = colors{"#0d1117", "#e6edf3", "#30363d", [6]string{
		"#79c0ff", "#ff7b72", "#7ee787", "#d2a8ff", "#e3b341", "#8b949e"}}
	dashes = [6]string{"", "7 3", "2 3", "9 3 2 3", "4 4", "1 4"}
)

const (
	width, height     = 760, 340
	left, right       = 72, 480
	top, bottom       = 40, 285
	legendX, legendUp = 500, 22
)

// svg draws the picture. Text stays text in the reader's own font.
func (p picture) svg(c colors) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" `+
		`font-family="system-ui,sans-serif" font-size="12" fill="%s">`+"\n"+
		`<rect width="100%%" height="100%%" fill="%s"/>`+"\n",
		width, height, c.ink, c.paper)
	text := func(x, y float64, attributes, s string) {
		fmt.Fprintf(&b, "<text x=\"%.0f\" y=\"%.0f\" %s>%s</text>\n", x, y, attributes,
			html.EscapeString(s))
	}
	text(left, 22, `font-size="15"`, p.title)
	text((left+right)/2, height-12, `text-anchor="middle"`, p.x)
	text(left, top-4, "", p.y)
	xs, ys := p.scales()
	for _, v := range xs.ticks() {
		x := xs.at(v)
		fmt.Fprintf(&b, `<path d="M%.1f %dV%d" stroke="%s"/>`+"\n", x, top, bottom, c.grid)
		text(x, bottom+16, `text-anchor="middle"`, strconv.FormatFloat(v, 'f', -1, 64))
	}
	for _, v := range ys.ticks() {
		y := ys.at(v)
		fmt.Fprintf(&b, `<path d="M%d %.1fH%d" stroke="%s"/>`+"\n", left, y, right, c.grid)
		text(left-6, y+4, `text-anchor="end"`, p.unit.Format(v))
	}
	for i, l := range p.lines {
		path := ""
		for j := range l.x {
			path += fmt.Sprintf("%c%.1f %.1f", "ML"[min(j, 1)], xs.at(l.x[j]), ys.at(l.y[j]))
		}
		y := float64(top + 10 + i*legendUp)
		path += fmt.Sprintf("M%d %.0fh28", legendX, y-4)
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-width="2.2" `+
			`stroke-dasharray="%s"/>`+"\n", path, c.lines[i], dashes[i])
		text(legendX+36, y, "", l.name)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// A scale maps the decades from low to high to pixels.
type scale struct{ low, high, from, to float64 }

func (p picture) scales() (x, y scale) {
	x = scale{math.Inf(1), 0, left, right}
	y = scale{math.Inf(1), 0, bottom, top}
	for _, l := range p.lines {
		for i := range l.x {
			x.low, x.high = min(x.low, l.x[i]), max(x.high, l.x[i])
			y.low, y.high = min(y.low, l.y[i]), max(y.high, l.y[i])
		}
	}
	y.low = math.Pow(10, math.Floor(math.Log10(y.low)))
	y.high = math.Pow(10, math.Ceil(math.Log10(y.high)))
	return x, y
}

func (s scale) at(v float64) float64 {
	share := math.Log(v/s.low) / math.Log(s.high/s.low)
	return s.from + share*(s.to-s.from)
}

// ticks are the powers of ten, and of two where there are few of them.
func (s scale) ticks() (all []float64) {
	step := 10.0
	if s.high/s.low < 5000 && s.from < s.to {
		step = 2
	}
	for v := s.low; v <= s.high*1.001; v *= step {
		all = append(all, v)
	}
	return all
}
