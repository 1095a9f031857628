package report

import (
	"bytes"
	"image/color"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"example.com/chanx/bench/plan"
)

const (
	width   = 24 * vg.Centimeter
	height  = 13 * vg.Centimeter
	margins = 0.4 * vg.Centimeter
	heading = 2 * vg.Centimeter
	thumb   = 30 // points, of a line in the legend
)

// paper is drawn under everything: a page with a dark background shows the
// picture as it is.
var paper = color.RGBA{250, 250, 247, 255}

// sans is laid out as Liberation Sans, which few have; Arial is as wide.
func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

// drawSVG writes the plot as SVG. Text stays text, in whatever sans serif
// the reader has: embedded fonts would be most of the file.
func drawSVG(name string, p plan.Plot) error {
	img, err := figure(p)
	if err != nil {
		return err
	}
	var svg bytes.Buffer
	if _, err := img.WriteTo(&svg); err != nil {
		return err
	}
	family := []byte("font-family:Liberation Sans")
	return os.WriteFile(name, bytes.ReplaceAll(svg.Bytes(), family,
		append(family, ",Arial,Helvetica,sans-serif"...)), 0o644)
}

func figure(p plan.Plot) (*vgsvg.Canvas, error) {
	img := vgsvg.New(width, height)
	whole := draw.New(img)
	whole.FillPolygon(paper, []vg.Point{{X: 0, Y: 0}, {X: width, Y: 0},
		{X: width, Y: height}, {X: 0, Y: height}})
	write(whole, p.Title, sans(14), color.Black, height-1.2*margins)
	write(whole, p.Under, sans(11), color.Gray{80}, height-2.8*margins)
	chart := axes(p)
	names := plot.NewLegend()
	names.Top, names.Left, names.Padding = true, true, vg.Points(5)
	names.ThumbnailWidth, names.TextStyle.Font = vg.Points(thumb), sans(11)
	for i, l := range p.Lines {
		if err := curve(chart, &names, l, i, p); err != nil {
			return nil, err
		}
	}
	aside := legendWidth(p, names.TextStyle)
	chart.Draw(draw.Crop(whole, margins, -aside, margins, -heading))
	names.Draw(draw.Crop(whole, width-aside+margins, 0, 0, -heading))
	return img, nil
}

func write(on draw.Canvas, text string, f font.Font, c color.Color, y vg.Length) {
	style := draw.TextStyle{Color: c, Font: f, YAlign: draw.YTop,
		Handler: plot.DefaultTextHandler}
	on.FillText(style, vg.Point{X: 2 * margins, Y: y}, text)
}

// legendWidth leaves a fifth for readers whose font is wider than ours.
func legendWidth(p plan.Plot, style draw.TextStyle) vg.Length {
	var widest vg.Length
	for _, l := range p.Lines {
		widest = max(widest, style.Width(l.Name))
	}
	return widest*1.2 + vg.Points(thumb) + 3*margins
}

func axes(p plan.Plot) *plot.Plot {
	chart := plot.New()
	chart.BackgroundColor = paper
	for _, a := range []struct {
		axis  *plot.Axis
		label string
		log   bool
		ticks ticks
	}{
		{&chart.X, p.X, p.LogX, ticks{log: p.LogX, at: few(p.Lines)}},
		{&chart.Y, p.Y, p.LogY, ticks{log: p.LogY, times: p.Times}},
	} {
		a.axis.Label.Text, a.axis.Label.Padding = a.label, vg.Points(6)
		a.axis.Label.TextStyle.Font = sans(12)
		a.axis.Tick.Label.Font = sans(11)
		a.axis.Tick.Marker = a.ticks
		if a.log {
			a.axis.Scale = plot.LogScale{}
		}
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color = color.Gray{215}
	grid.Vertical.Color = color.Gray{215}
	chart.Add(grid)
	return chart
}

// curve leaves out what a logarithmic axis cannot show.
func curve(c *plot.Plot, names *plot.Legend, l plan.Line, i int, p plan.Plot) error {
	var points plotter.XYs
	for j := range l.X {
		if (!p.LogX || l.X[j] > 0) && (!p.LogY || l.Y[j] > 0) {
			points = append(points, plotter.XY{X: l.X[j], Y: l.Y[j]})
		}
	}
	if len(points) == 0 {
		return nil
	}
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	style(line, dots, l.Ours, i)
	c.Add(line, dots)
	names.Add(l.Name, line, dots)
	return nil
}
