package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func film(n int) []sample {
	all := make([]sample, n)
	for i := range all {
		s := &all[i]
		s.At = time.Duration(i) * 100 * time.Millisecond
		s.Phase = 3 * i / n
		s.Before.Now, s.After.Now = rand.N(1000), rand.N(10)
		s.Before.Blocked = s.Before.Now / 2
		s.Before.Answered, s.After.Answered = i, 2*i
	}
	return all
}

// TestPictureIsWellFormed draws films of many lengths, the shortest included:
// all points are inside of the paper, and there is one for each sample.
func TestPictureIsWellFormed(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 100, 700} {
		svg := string(picture(goodReport(), film(n)))
		dec := xml.NewDecoder(strings.NewReader(svg))
		lines := 0
		for {
			token, err := dec.Token()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			start, ok := token.(xml.StartElement)
			if ok && start.Name.Local == "polyline" {
				lines++
				checkPoints(t, n, start)
			}
		}
		assert.Equal(t, 5, lines)
		for _, p := range phases {
			if n >= len(phases) {
				assert.Equal(t, 2, strings.Count(svg, ">"+p.name+"<"))
			}
		}
		assert.Contains(t, svg, "prefers-color-scheme: dark")
		assert.NotContains(t, svg, "NaN")
	}
}

func checkPoints(t *testing.T, n int, polyline xml.StartElement) {
	t.Helper()
	for _, attr := range polyline.Attr {
		if attr.Name.Local != "points" {
			continue
		}
		points := strings.Fields(attr.Value)
		assert.Len(t, points, n)
		for _, p := range points {
			var x, y float64
			_, err := fmt.Sscanf(p, "%f,%f", &x, &y)
			require.NoError(t, err)
			assert.True(t, x >= left && x <= right && y >= 0 && y <= 600, p)
		}
	}
}

// TestPictureLabels finds the last values at the ends of the lines, never
// closer than a line of text.
func TestPictureLabels(t *testing.T) {
	label := regexp.MustCompile(`y="([0-9.]+)">(before|after): (\d+)<`)
	for range 500 {
		all := film(5)
		last := &all[4]
		last.Before.Now, last.After.Now = rand.N(300), rand.N(300)
		found := label.FindAllStringSubmatch(string(picture(goodReport(), all)), -1)
		require.Len(t, found, 4)
		assert.Equal(t, strconv.Itoa(last.Before.Now), found[0][3])
		assert.Equal(t, strconv.Itoa(last.After.Now), found[1][3])
		for i := 0; i < 4; i += 2 {
			b, err := strconv.ParseFloat(found[i][1], 64)
			require.NoError(t, err)
			a, err := strconv.ParseFloat(found[i+1][1], 64)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, math.Abs(a-b), 15.8)
		}
	}
}

func TestPanelFits(t *testing.T) {
	for most, want := range map[int]float64{
		0: 4, 4: 4, 5: 8, 8: 8, 9: 20, 20: 20, 21: 40, 40: 40, 41: 80,
		80: 80, 81: 200, 438: 800, 750: 800, 801: 2000,
	} {
		p := &panel{of: func(r reading) int { return r.Now }}
		s := sample{At: time.Millisecond}
		s.After.Now = most
		p.fit([]sample{s})
		assert.InDelta(t, want, p.most, 1e-9, "%d", most)
		assert.Equal(t, time.Second, p.width)
	}
}
