package doctor

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

var regen = flag.Bool("regen", false,
	"run the programs of testdata/programs and write testdata/corpus anew")

var update = flag.Bool("update", false, "write the published tables anew")

// corpusCase is a program that hangs in a known way, or does not hang.
type corpusCase struct {
	name  string
	forms string // how it was dumped
	want  []string
	note  string
}

const allForms = "debug1 debug2 sigquit"

// corpus has what must be found in each case, at severity warning or above:
// operation, function, receiver, "request" if on the path of requests. An
// empty list is a healthy case: anything found is a false alarm. A mark ? is
// a finding that may be there or not, because people would not agree.
var corpus = []corpusCase{
	{"incident", allForms + " system", []string{
		"chan send|log4go.(*FileLogTraceWriter).LogWrite|missing|request"},
		"consumer returned, its sibling lives on"},
	{"incident-stuckdisk", allForms, []string{
		"chan send|log4go.(*FileLogTraceWriter).LogWrite|present|request"},
		"consumer alive behind a disk that does not write"},
	{"nil-send", "debug2 sigquit", []string{
		"chan send (nil chan)|main.nilSend.func1|missing|"}, "one goroutine"},
	{"nil-receive", "debug2 sigquit", []string{
		"chan receive (nil chan)|main.nilReceive.func1|missing|request"}, ""},
	{"timeout-leak", allForms, []string{
		"chan send|main.timeoutLeak.func1.1|missing|"},
		"the handler gave up on its helper"},
	{"unlock-forgotten", allForms, []string{
		"mutex|hub.(*Cache).Get|missing|request"}, ""},
	{"lock-over-io", allForms, []string{
		"mutex|main.(*backend).ask|present|request"}, "holder waits for a backend"},
	{"lock-order", allForms, []string{"mutex|main.transfer||"},
		"A then B, B then A"},
	{"lock-twice", allForms, []string{"mutex|hub.(*Cache).Get|present|"}, ""},
	{"rlock-twice", allForms, []string{
		"rwmutex|main.(*table).size|present|", "?rwmutex|main.(*table).set||"},
		"a writer between two read locks"},
	{"results-unread", allForms, []string{
		"chan send|main.collect.func1|present|", "?waitgroup|main.collect||"},
		"collector waits for the workers first"},
	{"all-asleep", "none", []string{
		"chan send|main.allAsleep.func1||", "?waitgroup|main.allAsleep||"},
		"the runtime's own fatal error"},
	{"workers-died", allForms, []string{
		"chan send|main.(*dispatcher).submit|missing|request"},
		"each bad job takes a worker along"},
	{"panic-recovered", allForms, []string{
		"chan send|main.panicRecovered.func2|missing|"},
		"a recover above the loop"},
	{"cond-missed", allForms, []string{"cond|main.condMissed.func1||request"}, ""},
	{"receive-leak", "debug2 sigquit", []string{
		"chan receive|main.receiveLeak.func1.1||"}, ""},
	{"select-leak", "debug2 sigquit", []string{
		"select|main.selectLeak.func1.1||"}, ""},
	{"pipeline-cut", allForms, []string{
		"chan send|main.source.func1||", "chan send|main.stage.func1||"}, ""},
	{"tokens-lost", allForms, []string{
		"chan send|main.tokensLost.func1|missing|request"},
		"a semaphore not given back"},
	{"readers-hold", allForms, []string{
		"rwmutex|main.(*table).size|unknown|request", "?rwmutex|main.(*table).set||"},
		""},
	{"once-stuck", allForms, []string{
		"mutex|main.onceStuck.func1|present|request",
		"?chan receive|main.onceStuck.func1.1||request"}, ""},
	{"finalizer-stuck", "debug1 debug2 sigquit", []string{
		"chan send|main.finalizerStuck.func1||"}, ""},
	{"hub-stuck", allForms, []string{
		"mutex|hub.(*Hub).Len|present|request", "?chan send|hub.(*Hub).Publish||"},
		""},
	{"generic-queue", allForms, []string{
		"chan send|Queue[...]).Push|missing|"}, ""},
	{"pipe-unread", allForms, []string{"?select|main.pipeUnread.func1||request"},
		"a select below io.Pipe"},
	{"stages-chained", allForms, []string{
		"chan send|main.(*stages).put|present|",
		"?chan send|main.(*stages).move|missing|"}, ""},
	{"closure-siblings", allForms, []string{
		"chan send|main.newSink.func3|missing|"}, ""},
	{"conn-gone", allForms, []string{"chan send|main.(*client).send|missing|"},
		""},
	{"worker-vanishes", "thrice", []string{
		"chan send|main.(*mailbox).post|missing|"}, "an earlier dump has it"},
	{"leak-grows", "thrice", []string{"chan receive|main.leakGrows.func1||"}, ""},
	{"test-hangs", "timeout", []string{
		"mutex|tests.TestHangs.func1||", "chan receive|tests.TestHangs||"},
		"go test with a timeout"},
	{"test-bubble", "timeout", []string{
		"?chan send|tests.TestBubble.func1.1||",
		"?chan receive|tests.TestBubble.func1||"},
		"testing/synctest finds it itself"},

	{"idle-pool", allForms + " system", nil, ""},
	{"idle-pool-select", allForms, nil, ""},
	{"http-keepalive", allForms, nil, ""},
	{"http-slow-handlers", allForms, nil, ""},
	{"signal-loop", allForms, nil, ""},
	{"tickers", allForms, nil, ""},
	{"select-for-ever", allForms, nil, ""},
	{"connections", allForms, nil, ""},
	{"backpressure", allForms, nil, ""},
	{"semaphore-full", allForms, nil, ""},
	{"generator", allForms, nil, ""},
	{"cond-queue", allForms, nil, ""},
	{"batch-job", allForms, nil, ""},
	{"iterators", allForms, nil, ""},
	{"child-process", allForms, nil, ""},
	{"sql-pool", allForms, nil, ""},
	{"udp-reader", allForms, nil, ""},
	{"echo-server", allForms, nil, ""},
	{"timers", allForms, nil, ""},
	{"locked-threads", allForms, nil, ""},
	{"contexts", allForms, nil, ""},
	{"http-client", allForms, nil, ""},
	{"async-log", allForms, nil, ""},
	{"single-flight", allForms, nil, ""},
	{"event-streams", allForms, nil, ""},
	{"hot-mutex", allForms, nil, ""},
	{"reads-stdin", allForms, nil, ""},
	{"garbage", "debug1 debug2 sigquit system", nil, ""},
	{"rw-readers", allForms, nil, ""},
	{"worker-of-each", allForms, nil, ""},
	{"pool-stays", "thrice", nil, ""},
	{"batch-ends", "thrice", nil, "vanished workers that were done"},
	{"traffic-varies", "thrice", nil, ""},
	{"test-parallel", "quit", nil, "parallel tests at work"},
}

func corpusFile(name, form string) string {
	return filepath.Join("testdata", "corpus", name+"."+form+".txt")
}

// TestCorpus diagnoses every dump and compares with what its program did. The
// table of COR.md is made of the same figures.
func TestCorpus(t *testing.T) {
	if *regen {
		regenerate(t)
	}
	scores := make(map[string]*score)
	for _, c := range corpus {
		for form := range strings.FieldsSeq(c.forms) {
			t.Run(c.name+"/"+form, func(t *testing.T) {
				report := diagnoseFile(t, corpusFile(c.name, form))
				if scores[form] == nil {
					scores[form] = &score{}
				}
				missed, alarms := scores[form].count(c, report)
				assert.Empty(t, missed, "missed")
				assert.Empty(t, alarms, "false alarms")
				assert.Zero(t, report.Unreadable, "%v", report.Troubles)
			})
		}
	}
	checkTable(t, scores)
}

// diagnoseFile reads a dump with the symbols behind it, if it has any.
func diagnoseFile(t *testing.T, file string) *Report {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	snaps, err := Parse(bytes.NewReader(text), file)
	require.NoError(t, err)
	names := make(map[uint64]string)
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 2 && strings.HasPrefix(f[0], "0x") {
			if pc, err := strconv.ParseUint(f[0], 0, 64); err == nil {
				names[pc] = f[1]
			}
		}
	}
	for _, s := range snaps {
		s.Resolve(named(names))
	}
	return Diagnose(Rules{}, snaps...)
}

// score counts findings by form.
type score struct{ cases, healthy, found, missed, alarms int }

// count returns what of the case was missed, and what was found that is not
// there.
func (s *score) count(c corpusCase, r *Report) (missed, alarms []string) {
	s.cases++
	if len(c.want) == 0 {
		s.healthy++
	}
	left := slices.Clone(c.want)
	for _, f := range r.Findings {
		if f.Severity < Warning {
			continue
		}
		i := slices.IndexFunc(left, func(want string) bool {
			return answers(f,
				want)
		})
		switch {
		case i < 0:
			alarms = append(alarms, f.Sentence)
		case left[i][0] == '?':
			left = slices.Delete(left, i, i+1)
		default:
			s.found++
			left = slices.Delete(left, i, i+1)
		}
	}
	for _, want := range left {
		if want[0] != '?' {
			missed = append(missed, want)
		}
	}
	s.missed += len(missed)
	s.alarms += len(alarms)
	return missed, alarms
}

// answers reports whether f is what was wanted.
func answers(f Finding, want string) bool {
	w := strings.Split(strings.TrimPrefix(want, "?"), "|")
	return string(f.Operation) == w[0] && strings.HasSuffix(f.Function, w[1]) &&
		(w[2] == "" || string(f.Receiver) == w[2]) && f.RequestPath == (w[3] == "request")
}

const tableFile = "CORPUS.md"

// checkTable fails if the published table is not the one of this run.
func checkTable(t *testing.T, scores map[string]*score) {
	var b strings.Builder
	b.WriteString("# Findings of the doctor in dumps of known cause\n\n" +
		"Programs of testdata/programs that hang in a known way, and others that\n" +
		"only wait as they should, dumped in several forms; a finding counts at\n" +
		"severity warning and above. A healthy case has nothing to find, so that\n" +
		"anything found in it is a false alarm. debug1 has the symbols of the\n" +
		"server; thrice is three dumps of one process; none is the runtime's own\n" +
		"fatal error. The rules were written with these programs in view, so this " +
		"is\n" +
		"a floor against regressions rather than a forecast: programs the rules " +
		"were\n" +
		"not written for are in GOKER.md. Checked by TestCorpus.\n\n" +
		"| form | cases | of them healthy | found | missed | false alarms | " +
		"precision | recall |\n" +
		"|---|---|---|---|---|---|---|---|\n")
	var all score
	forms := []string{}
	for form := range scores {
		forms = append(forms, form)
	}
	slices.Sort(forms)
	for _, form := range forms {
		s := scores[form]
		b.WriteString(s.row(form))
		all.cases += s.cases
		all.healthy += s.healthy
		all.found += s.found
		all.missed += s.missed
		all.alarms += s.alarms
	}
	b.WriteString(all.row("**all**"))
	if *regen || *update {
		require.NoError(t, os.WriteFile(tableFile, []byte(b.String()), 0o644))
	}
	published, err := os.ReadFile(tableFile)
	require.NoError(t, err)
	assert.Equal(t, b.String(), string(published),
		"the table is out of date: go test ./doctor -run TestCorpus -update")
}

func (s *score) row(form string) string {
	share := func(n, of int) string {
		if of == 0 {
			return "–"
		}
		return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
	}
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %s | %s |\n", form,
		s.cases, s.healthy, s.found, s.missed, s.alarms,
		share(s.found, s.found+s.alarms), share(s.found, s.found+s.missed))
}

// regenerate runs every case in every form.
func regenerate(t *testing.T) {
	dir := t.TempDir()
	build := func(args ...string) {
		cmd := exec.Command("go", args...)
		// With cgo the runtime does not look for deadlocks.
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	program := filepath.Join(dir, "programs")
	tests := filepath.Join(dir, "tests")
	build("build", "-trimpath", "-o", program, "./testdata/programs")
	build("test", "-c", "-trimpath", "-o", tests, "./testdata/programs/tests")
	require.NoError(t, os.MkdirAll(filepath.Dir(corpusFile("", "")), 0o755))
	var all errgroup.Group
	all.SetLimit(8)
	for _, c := range corpus {
		for form := range strings.FieldsSeq(c.forms) {
			cmd := exec.Command(program, "-case", c.name, "-form", form)
			if test, ok := strings.CutPrefix(c.name, "test-"); ok {
				name := "Test" + strings.ToUpper(test[:1]) + test[1:]
				cmd = exec.Command(tests, "-test.run", "^"+name+"$", "-test.timeout", "1s")
				if form == "quit" {
					cmd.Args[len(cmd.Args)-1] = "1m"
				}
			}
			all.Go(func() error { return dumpOf(c, form, cmd) })
		}
	}
	require.NoError(t, all.Wait())
}

// dumpOf writes what the program prints, with where it comes from.
func dumpOf(c corpusCase, form string, cmd *exec.Cmd) error {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(os.Environ(), "GOTRACEBACK=all", "GOMAXPROCS=2")
	if err := cmd.Start(); err != nil {
		return err
	}
	if form == "quit" {
		time.AfterFunc(2*time.Second, func() { interrupt(cmd) })
	}
	limit := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer limit.Stop()
	cmd.Wait() // how it ends is part of the case
	head := fmt.Sprintf("# program: doctor/testdata/programs, case %s\n"+
		"# dumped: %s, %s %s/%s\n# expected: %s\n\n", c.name, form,
		runtime.Version(), runtime.GOOS, runtime.GOARCH,
		strings.Join(append(slices.Clone(c.want), "nothing else"), "; "))
	return os.WriteFile(corpusFile(c.name, form),
		append([]byte(head), out.Bytes()...), 0o644)
}
