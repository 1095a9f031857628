package doctor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A server that has not answered for hours does not answer; one that streams
// does.
func TestUnanswered(t *testing.T) {
	const body = "net/http.(*bodyEOFSignal).Read"
	for name, test := range map[string]struct {
		state   string
		calls   []string
		minutes uint32
		stuck   bool
	}{
		"header": {"select", []string{"net/http.(*persistConn).roundTrip",
			"net/http.(*Client).Do", "app.poll"}, 90, true},
		"whole body": {"IO wait", []string{"net.(*conn).Read", body, "io.ReadAll",
			"app.poll"}, 90, true},
		"whole body, old Go": {"IO wait", []string{"net.(*conn).Read", body,
			"io/ioutil.readAll", "io/ioutil.ReadAll", "app.poll"}, 2404, true},
		"a long poll": {"select", []string{"net/http.(*persistConn).roundTrip",
			"net/http.(*Client).Do", "app.poll"}, 15, false},
		"a stream": {"IO wait", []string{"net.(*conn).Read", body,
			"encoding/json.(*Decoder).Decode", "app.watch"}, 2404, false},
		"a download": {"IO wait", []string{"net.(*conn).Read", body, "io.Copy",
			"app.fetch"}, 90, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := Diagnose(Rules{}, process(waited(standing(1, test.state,
				test.calls...), test.minutes), standing(1, "select", "app.main")))
			if !test.stuck {
				assert.Empty(t, r.Findings)
				return
			}
			require.Len(t, r.Findings, 1)
			assert.Equal(t, Warning, r.Findings[0].Severity)
			assert.Equal(t, "app.poll", r.Findings[0].Function)
			assert.Contains(t, r.Root, "the server does not answer")
		})
	}
}
