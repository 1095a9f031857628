// Package rows measures chanx against what programs use today, one situation
// after the other.
package rows

import (
	"fmt"
	"io"
	"log"
	"math"
	"time"
)

// A Contest has several contestants do the same work.
type Contest struct {
	Group, Name string
	Figures     []Figure
	Names       []string // of the contestants
	Rounds      int
	Notes       []string

	// Measure returns the figures of one contestant, once. A figure that it
	// does not have is NaN.
	Measure func(contestant int) ([]float64, error)
}

// A Figure is one number of a measurement.
type Figure struct {
	Name string `json:"name"`
	Unit Unit   `json:"unit"`
}

// An Effort is how much to measure.
type Effort struct {
	Quick bool // one round and a hundredth of the work: to see that it runs
}

func (e Effort) n(n int) int {
	if e.Quick {
		return max(100, n/200)
	}
	return n
}

func (e Effort) time(d time.Duration) time.Duration {
	if e.Quick {
		return max(5*time.Millisecond, d/100)
	}
	return d
}

func (e Effort) rounds(n int) int {
	if e.Quick {
		return 1
	}
	return n
}

// Contests returns all contests.
func Contests(e Effort) (all []Contest) {
	for _, of := range []func(Effort) []Contest{
		benchmarks, services, floods, wakes, broadcasts, logs, supervision,
		machines, lines, memory, millions, models,
	} {
		all = append(all, of(e)...)
	}
	return all
}

// Run measures all rounds of the contest. In each round another contestant is
// the first, and every other round runs backwards.
func (c Contest) Run() (Result, error) {
	defer log.SetOutput(log.Writer())
	log.SetOutput(io.Discard) // diodes report collisions there
	r := Result{Group: c.Group, Name: c.Name, Figures: c.Figures, Notes: c.Notes}
	for _, name := range c.Names {
		r.Rows = append(r.Rows, Row{name, make([][]float64, len(c.Figures))})
	}
	for round := range c.Rounds {
		for _, i := range order(round, len(c.Names)) {
			figures, err := c.Measure(i)
			if err != nil {
				return r, fmt.Errorf("%s, %s: %s: %w", c.Group, c.Name, c.Names[i], err)
			}
			for f, v := range figures {
				r.Rows[i].Rounds[f] = append(r.Rows[i].Rounds[f], v)
			}
		}
	}
	for _, row := range r.Rows {
		for f := range row.Rounds {
			row.Rounds[f] = finite(row.Rounds[f])
		}
	}
	return r, nil
}

func order(round, n int) []int {
	turns := make([]int, n)
	for i := range turns {
		turns[i] = (i + round) % n
		if round%2 == 1 {
			turns[i] = (round + n - i) % n
		}
	}
	return turns
}

// finite rounds to four digits. It returns nil if a value is not a number.
func finite(rounds []float64) []float64 {
	for i, v := range rounds {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		if v != 0 {
			e := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
			rounds[i] = math.Round(v*e) / e
		}
	}
	return rounds
}

type named interface{ title() string }

func namesOf[T named](all []T) (names []string) {
	for _, one := range all {
		names = append(names, one.title())
	}
	return names
}
