package rows

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"

	"example.com/chanx/bench/plan"
	"example.com/chanx/bench/round"
)

// ratioLine is what TestRatios of the root logs for each of its operations.
var ratioLine = regexp.MustCompile(
	`(?m)^\s+\w+_test\.go:\d+: (.+?)\s+[\d.]+ ns\s+[\d.]+ ns\s+([\d.]+)x`)

// inRoot runs the comparison with raw channels that the root module has beside
// its other tests. Its rounds are shorter, so it takes more of them.
func inRoot(o plan.Options) (map[string]float64, error) {
	dir, err := plan.Root()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "test", "-count=1", "-run", "^TestRatios$",
		"-ratios", "-turns", strconv.Itoa(3*round.Rounds(o)-2), "-v", ".")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("TestRatios: %w\n%s", err, out)
	}
	return parseRatios(string(out))
}

func parseRatios(out string) (map[string]float64, error) {
	r := make(map[string]float64)
	for _, m := range ratioLine.FindAllStringSubmatch(out, -1) {
		v, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, err
		}
		r[m[1]] = v
	}
	return r, nil
}
