package doctor

// Rules are the thresholds of [Diagnose]. The zero value is a good default.
type Rules struct {
	// Ignore names functions whose goroutines are in order. A pattern is a
	// function's symbol or its end, from a dot or slash on, and may end in *:
	// "example.com/app.(*Hub).run", "(*Hub).run", "example.com/app.*". Any
	// call of a stack may match.
	Ignore []string

	// Many is how many goroutines blocked in one place are too many to be
	// chance; zero means 10. Negative panics.
	Many int

	// Minutes is how long a goroutine must have waited for that alone to
	// count against it; zero means 5. Negative panics.
	Minutes int

	// Receivers, if not nil, is asked which functions receive from the
	// channel that f's goroutines send on, or send on the one they receive
	// from, as far as the source code tells; full symbols. Nil means that it
	// does not know, an empty slice that there are none.
	Receivers func(f Finding) []string
}

func (r Rules) withDefaults() Rules {
	if r.Many < 0 || r.Minutes < 0 {
		panic("doctor: Rules with a negative threshold")
	}
	if r.Many == 0 {
		r.Many = 10
	}
	if r.Minutes == 0 {
		r.Minutes = 5
	}
	return r
}
