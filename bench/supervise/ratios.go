package supervise

import (
	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/round"
)

// Ratios returns what the row on restarts asks for: our restart of a failing
// worker by starting and joining a plain goroutine.
func Ratios(o plan.Options) (map[string]float64, error) {
	all := []peer{function, goroutine}
	m, err := round.Robin(o, "restart ratio", names(all),
		func(i int) ([]float64, error) { return restart(all[i], o.For, fails) })
	if err != nil {
		return nil, err
	}
	return map[string]float64{"restart, goroutine": m[0][0] / m[1][0]}, nil
}
