package report

import (
	"image/color"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// palette keeps its contrast with the paper, and most of it for those who
// cannot tell red from green; shapes and dashes tell the rest apart.
var palette = []color.Color{
	color.RGBA{0, 90, 181, 255},
	color.RGBA{220, 50, 32, 255},
	color.RGBA{0, 128, 96, 255},
	color.RGBA{64, 64, 64, 255},
	color.RGBA{148, 60, 160, 255},
	color.RGBA{176, 112, 0, 255},
	color.RGBA{0, 140, 170, 255},
	color.RGBA{200, 60, 120, 255},
	color.RGBA{110, 130, 0, 255},
	color.RGBA{130, 80, 50, 255},
	color.RGBA{120, 120, 130, 255},
	color.RGBA{70, 40, 120, 255},
}

var shapes = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{},
	draw.RingGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{},
	draw.CrossGlyph{}, draw.PlusGlyph{},
}

var dashes = [][]vg.Length{
	{vg.Points(5), vg.Points(3)},
	{vg.Points(2), vg.Points(2)},
	{vg.Points(8), vg.Points(3), vg.Points(2), vg.Points(3)},
}

// style makes our own lines solid and thick, and all others thin and dashed.
func style(line *plotter.Line, dots *plotter.Scatter, ours bool, i int) {
	c := palette[i%len(palette)]
	line.Color, dots.Color = c, c
	dots.Shape, dots.Radius = shapes[i%len(shapes)], vg.Points(3)
	line.Width = vg.Points(2.6)
	if !ours {
		line.Width = vg.Points(1.2)
		line.Dashes = dashes[i%len(dashes)]
	}
}
