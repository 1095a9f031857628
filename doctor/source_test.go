package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestReceiverBySource: the source overrides any guess.
func TestReceiverBySource(t *testing.T) {
	guess := standing(1, "running", "app.(*Writer).run")
	for name, test := range map[string]struct {
		receivers []string
		others    []*Stack
		receiver  string
		says      string
	}{
		"does not know": {nil, nil, "present", "its likely receiver"},
		"nobody": {[]string{}, nil, "missing",
			"nothing in the source receives there"},
		"not running": {[]string{"app.drain"}, nil, "missing",
			"app.drain receives from this channel by the source and is in no " +
				"stack"},
		"not running, in short": {[]string{"app.drain"}, nil, "missing",
			"app.drain, which should, is in no stack"},
		"parked elsewhere": {[]string{"app.drain"},
			[]*Stack{standing(1, "select", "app.drain")}, "missing", "is parked " +
				"elsewhere"},
		"its closure is parked": {[]string{"app.drain"},
			[]*Stack{standing(1, "select", "app.drain.func1")}, "missing",
			"is parked elsewhere"},
		"busy": {[]string{"app.gone", "app.drain"},
			[]*Stack{standing(1, "syscall", "app.drain")}, "present",
			"app.drain receives there and is busy, in a system call"},
	} {
		t.Run(name, func(t *testing.T) {
			rules := Rules{Receivers: func(f Finding) []string {
				assert.EqualValues(t, "chan send", f.Operation)
				assert.Equal(t, 20, f.Count)
				return test.receivers
			}}
			_, f := opinionOn(t, "app.(*Writer).Put", rules,
				process(append(test.others, writers(), guess)...))
			assert.EqualValues(t, test.receiver, f.Receiver)
			assert.Contains(t, f.Sentence+"; "+strings.Join(f.Evidence, "; "), test.says)
		})
	}
}
