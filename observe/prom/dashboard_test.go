package prom

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var metricName = regexp.MustCompile(`\bchanx_\w+`)

// exported has the names of all metrics.
func exported(t *testing.T) map[string]bool {
	families, err := registryOf(observed(t)).Gather()
	require.NoError(t, err)
	names := make(map[string]bool)
	for _, f := range families {
		names[f.GetName()] = true
	}
	return names
}

// expressions are those of the panels, with the variables of Grafana replaced.
func expressions(t *testing.T) []string {
	text, err := os.ReadFile("dashboard.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(text, &dashboard))
	var all []string
	taken := make(map[[2]int]string)
	for _, p := range dashboard.Panels {
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				assert.Less(t, x, 24)
				assert.Empty(t, taken[[2]int{x, y}], p.Title)
				taken[[2]int{x, y}] = p.Title
			}
		}
		require.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			all = append(all, strings.NewReplacer("$__rate_interval", "5m",
				"$job", ".*", "$instance", ".*").Replace(target.Expr))
		}
	}
	return all
}

// Dashboard and rules ask only for metrics that exist.
func TestDashboardNames(t *testing.T) {
	names := exported(t)
	for _, e := range expressions(t) {
		for _, name := range metricName.FindAllString(e, -1) {
			assert.True(t, names[name], name)
		}
	}
	rules, err := os.ReadFile("rules.yml")
	require.NoError(t, err)
	assert.Equal(t, 3, strings.Count(string(rules), "- alert: "))
	for _, name := range metricName.FindAllString(string(rules), -1) {
		assert.True(t, names[name], name)
	}
}

func TestPromtool(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool on this machine: rules and dashboard are not checked by it")
	}
	promtool := func(args ...string) {
		out, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	promtool("check", "rules", "--lint-fatal", "rules.yml")
	promtool("test", "rules", "rules_test.yml")

	// Each expression of the dashboard as a rule.
	rules := "groups:\n- name: dashboard\n  rules:\n"
	for _, e := range expressions(t) {
		quoted, err := json.Marshal(e)
		require.NoError(t, err)
		rules += "  - {record: checked, expr: " + string(quoted) + "}\n"
	}
	file := t.TempDir() + "/dashboard.yml"
	require.NoError(t, os.WriteFile(file, []byte(rules), 0o600))
	promtool("check", "rules", "--lint=none", file)

	// The text of a scrape.
	cmd := exec.CommandContext(t.Context(), tool, "check", "metrics")
	cmd.Stdin = strings.NewReader(scrape(t, registryOf(observed(t))))
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, "%s", out)
	assert.Empty(t, string(out))
}
