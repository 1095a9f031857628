package asynclog

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var aLoss = Loss{
	Count:  Count{12, 2280},
	Levels: Levels{Info: 11, Error: 1},
	Since:  time.Date(2026, 1, 2, 15, 3, 59, 5e8, time.UTC),
	Until:  time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC),
}

func TestReportForms(t *testing.T) {
	unknown := aLoss
	unknown.Levels = Levels{Unknown: 12}
	for _, c := range []struct {
		f    func(Loss) []byte
		l    Loss
		want string
	}{
		{ReportJSON, aLoss, `{"time":"2026-01-02T15:04:05Z","level":"WARN",` +
			`"msg":"log records lost","records":12,"bytes":2280,` +
			`"since":"2026-01-02T15:03:59.5Z","levels":{"info":11,"error":1}}`},
		{ReportText, aLoss, `time=2026-01-02T15:04:05.000Z level=WARN ` +
			`msg="log records lost" records=12 bytes=2280 ` +
			`since=2026-01-02T15:03:59.500Z levels.info=11 levels.error=1`},
		{ReportPlain, aLoss, `2026/01/02 15:04:05 log records lost: ` +
			`12 records, 2280 bytes, since 2026-01-02T15:03:59.5Z (info 11, error 1)`},
		{ReportPlain, unknown, `2026/01/02 15:04:05 log records lost: ` +
			`12 records, 2280 bytes, since 2026-01-02T15:03:59.5Z`},
		{ReportJSON, unknown, `{"time":"2026-01-02T15:04:05Z","level":"WARN",` +
			`"msg":"log records lost","records":12,"bytes":2280,` +
			`"since":"2026-01-02T15:03:59.5Z"}`},
	} {
		require.Equal(t, c.want+"\n", string(c.f(c.l)))
	}
}

func TestReportNilTakesAfterTheRecords(t *testing.T) {
	for record, want := range map[string]func(Loss) []byte{
		`{"msg":"x"}`:               ReportJSON,
		`time=2026 level=INFO`:      ReportText,
		`level=INFO msg=x`:          ReportText,
		`2026/01/02 15:04:05 hello`: ReportPlain,
		``:                          ReportPlain,
	} {
		l := aLoss
		l.format = formOf([]byte(record))
		require.Equal(t, string(want(l)), string(reportLike(l)), record)
	}
}

func TestReportHasTheLevelsIfOneIsKnown(t *testing.T) {
	require.Empty(t, Levels{}.attrs())
	require.Empty(t, Levels{Unknown: 1}.attrs())
	require.Len(t, Levels{Unknown: 1, Warn: 1}.attrs(), 2)
	for _, l := range []Levels{
		{Debug: 1, Info: 1}, {Info: 1, Warn: 1}, {Warn: 1, Error: 1},
		{Debug: 1, Error: 1},
	} {
		require.Len(t, l.attrs(), 2)
	}
}

// An overloaded sink that gets one record at a time is not kept busy with the
// reports of what it lost meanwhile.
func TestReportsAreBoundedInRate(t *testing.T) {
	for full := DropOldest; full <= DropNewest; full++ {
		synctest.Test(t, func(t *testing.T) {
			s := &tape{do: func(_ int, p []byte) (int, error) {
				time.Sleep(3 * time.Millisecond)
				return len(p), nil
			}}
			opts := small(full)
			opts.Unbatched = true
			w := New(s, opts)
			l := newLedger(1)
			for range 5000 { // five times too many
				require.NoError(t, l.write(w, 0))
				time.Sleep(600 * time.Microsecond)
			}
			require.NoError(t, w.Close())
			r := l.settle(t, w, []byte(s.String()))
			require.Greater(t, r.records.Records, uint64(900))
			require.LessOrEqual(t, uint64(r.reports), r.records.Records/reportRecords+6+maxGaps)
		})
	}
}
