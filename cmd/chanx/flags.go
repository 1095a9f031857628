package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/chanx/doctor"
)

const doctorUsage = `usage: chanx doctor [flags] TARGET...

Says which goroutines of a Go program are stuck, where, and who should have
been receiving. A TARGET is
  HOST:PORT          a live server that has net/http/pprof, or only an
                     observe.Observer or doctor.Handler() below /debug/chanx/
  http://HOST/PATH   such a server below a path, a goroutine profile, an
                     observe.Observer, whose problems are findings, or a
                     doctor.Handler(); several servers are a fleet
  SOCKET             such a server at a Unix socket
  FILE               a goroutine profile (protobuf, debug=1 or debug=2), or any
                     log with a crash, a SIGQUIT or a test timeout in it, gzip
                     or not, or the output of -json; several files of a program
                     are its history
  -                  standard input

Exit status: 0 every goroutine was read and judged, and no finding is at or
above -min-severity; 1 such findings, goroutines that cannot be judged or are
not in the input, or an input that says that a test or the process did not go
on; 2 could not look.

Examples:
  chanx doctor 127.0.0.1:6060
  chanx doctor -every 5s -for 1m 127.0.0.1:6060           what grows or vanishes
  chanx doctor 10.0.0.1:6060 10.0.0.2:6060                a fleet
  chanx doctor before.txt after.txt                       two dumps of a process
  chanx doctor goroutines.txt profile.pb.gz
  kubectl logs POD --previous | chanx doctor -            a crash in a log
  go test ./... 2>&1 | chanx doctor -                     a test timeout
  chanx doctor -src . 127.0.0.1:6060                      ask the source as well
  chanx doctor -binary ./server goroutines-debug-1.txt    name its addresses
  chanx doctor -json -min-severity critical dump.txt      in a script

All pods of a Kubernetes deployment, with kubectl proxy running:
` + kubernetes + `
An interrupt ends the looking, and what has been seen is judged.

Flags:
`

// kubernetes reads the pods with a label through the API server, so their ports
// need not be reachable from here.
const kubernetes = `  chanx doctor $(kubectl get pods -l app=web -o \
    go-template='{{range .items}}
    127.0.0.1:8001/api/v1/namespaces/{{.metadata.namespace}}/pods/{{
    .metadata.name}}:6060/proxy{{end}}')
`

// The thresholds, as those of [doctor.Rules].
const (
	defaultMany    = 10
	defaultMinutes = 5
)

// minEvery keeps the looks from being a load on their own: a server answers
// hundreds of them a second, and stops for each.
const minEvery = 100 * time.Millisecond

// options are the parsed command line.
type options struct {
	targets []string

	json        bool
	stacks      bool
	html        string
	color       string
	all         bool
	minSeverity doctor.Severity
	rules       doctor.Rules

	form     string
	maxStop  int
	timeout  time.Duration
	header   http.Header
	insecure bool
	caCert   string
	cert     string
	key      string
	every    time.Duration
	length   time.Duration

	as     string
	binary string
	src    string

	fetch    *fetcher // of the command, while it runs
	progress *progress
}

// parseFlags also takes flags after targets, where people put them when they
// repeat the last command with one more. Its errors are usage errors.
func parseFlags(args []string) (*options, *flag.FlagSet, error) {
	o := &options{header: http.Header{}}
	fs := flag.NewFlagSet("doctor", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o.define(fs)
	for {
		if err := fs.Parse(args); err != nil {
			return nil, fs, err
		}
		rest := fs.Args()
		if len(rest) == 0 {
			break
		}
		if n := len(args) - len(rest); n > 0 && args[n-1] == "--" {
			o.targets = append(o.targets, rest...)
			break
		}
		o.targets = append(o.targets, rest[0])
		args = rest[1:]
	}
	return o, fs, o.check()
}

func (o *options) define(fs *flag.FlagSet) {
	fs.BoolVar(&o.json, "json", false, "print one JSON object instead of text")
	fs.BoolVar(&o.stacks, "stacks", false,
		"with -json: also all goroutines by place, with their stacks")
	fs.StringVar(&o.html, "html", "", "also write the report as a page to `FILE`")
	fs.StringVar(&o.color, "color", "auto",
		"`WHEN` to color: auto (on a terminal, unless NO_COLOR is set), "+
			"always, never")
	fs.BoolVar(&o.all, "all", false, "also list the goroutines that are in "+
		"order, and why")
	o.minSeverity = doctor.Warning
	fs.TextVar(&o.minSeverity, "min-severity", doctor.Warning,
		"exit with 1 from this `SEVERITY` on: info, warning or critical")
	fs.Func("ignore", "a `FUNCTION` whose goroutines are in order, as in\n"+
		"example.com/app.(*Hub).run, (*Hub).run or 'example.com/app.*'; repeatable",
		func(s string) error {
			o.rules.Ignore = append(o.rules.Ignore, s)
			return nil
		})
	fs.IntVar(&o.rules.Many, "many", defaultMany,
		"how many goroutines in one place are too many to be chance")
	fs.IntVar(&o.rules.Minutes, "minutes", defaultMinutes,
		"how many minutes of waiting count against a goroutine")
	o.defineSources(fs)
}

// defineSources defines the flags about where goroutines come from.
func (o *options) defineSources(fs *flag.FlagSet) {
	fs.StringVar(&o.form, "form", "auto",
		"`FORM` of the profile to ask a server for: "+
			"0 (protobuf), 1, 2\n(with waiting times), or auto")
	fs.IntVar(&o.maxStop, "max-stop", 20000,
		"a dump with waiting times stops a server while it is written;\n"+
			"auto asks for one only up to `N` goroutines")
	o.timeout = 30 * time.Second
	fs.Var((*duration)(&o.timeout), "timeout",
		"how long a server may be silent, a `DURATION`; ten times that in all")
	fs.Func("header",
		"a `HEADER` to send to the named servers, and never to where they "+
			"redirect,\nas in 'Authorization: Bearer x'; repeatable", o.addHeader)
	fs.BoolVar(&o.insecure, "insecure", false,
		"trust any certificate of an https server")
	fs.StringVar(&o.caCert, "cacert", "",
		"also trust the authorities in this PEM `FILE`")
	fs.StringVar(&o.cert, "cert", "",
		"the client certificate to show to https servers, a PEM `FILE`")
	fs.StringVar(&o.key, "key", "",
		"its private key, a PEM `FILE`, if not in the same one")
	fs.Var((*duration)(&o.every), "every",
		"look at servers again every `DURATION`, as in 5s, and compare;\n"+
			"at least 100ms, as every look stops them for a moment")
	fs.Var((*duration)(&o.length), "for",
		"for this `DURATION` (default 1m with -every); the last look is at its end")
	fs.StringVar(&o.as, "as", "auto",
		"`WHAT` several files are: series (one process over "+
			"time, the\nlast is now), fleet (a process each), or auto (series if alike)")
	fs.StringVar(&o.binary, "binary", "",
		"the program's executable `FILE`, to name the "+
			"addresses of a\nprofile with debug=1")
	fs.StringVar(&o.src, "src", "",
		"the program's source `DIR`, to find the receivers of "+
			"a channel; the go\ncommand reads it with CGO_ENABLED=0 and "+
			"GOTOOLCHAIN=local, and runs none of it")
}

// duration is a flag whose error names the unit that a bare number lacks.
type duration time.Duration

// String is empty for zero, so that the help shows no default.
func (d *duration) String() string {
	if d == nil || *d == 0 {
		return ""
	}
	return time.Duration(*d).String()
}

func (d *duration) Set(s string) error {
	v, err := time.ParseDuration(s)
	if err != nil {
		if _, e := strconv.ParseFloat(s, 64); e == nil {
			return fmt.Errorf("want %ss", s)
		}
		return errors.New("want a duration such as 2s or 1m30s")
	}
	if v <= 0 {
		return errors.New("want more than 0")
	}
	*d = duration(v)
	return nil
}

func (o *options) addHeader(s string) error {
	name, value, ok := strings.Cut(s, ":")
	if !ok || strings.TrimSpace(name) == "" || strings.ContainsAny(s, "\r\n") {
		return errors.New("want NAME: VALUE")
	}
	o.header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	return nil
}

// check rejects invalid combinations before anything is opened.
func (o *options) check() error {
	oneOf := func(name, value string, allowed ...string) error {
		if slices.Contains(allowed, value) {
			return nil
		}
		return fmt.Errorf("-%s %s: want one of %s", name, value,
			strings.Join(allowed, ", "))
	}
	err := errors.Join(
		oneOf("color", o.color, "auto", "always", "never"),
		oneOf("form", o.form, "auto", "0", "1", "2"),
		oneOf("as", o.as, "auto", "series", "fleet"))
	live := func(t string) bool {
		return isURL(t) || isServer(t) || isSocket(t)
	}
	switch {
	case err != nil:
		return err
	case len(o.targets) == 0:
		return errors.New("no target: name a server " +
			"(127.0.0.1:6060), a file, or -")
	case o.json && o.html == "-":
		return errors.New("-json and -html -: both on standard output")
	case o.key != "" && o.cert == "":
		return errors.New("-key: want -cert")
	case o.stacks && !o.json:
		return errors.New("-stacks: want -json; the text has a stack of each " +
			"finding, the page more")
	case o.rules.Many < 1:
		return errors.New("-many: want at least 1")
	case o.rules.Minutes < 1:
		return errors.New("-minutes: want at least 1")
	case o.every > 0 && o.every < minEvery:
		return fmt.Errorf("-every: want at least %v", minEvery)
	case (o.every > 0 || o.length > 0) && !slices.ContainsFunc(o.targets, live):
		return errors.New("-every, -for: want a server; files do not change")
	}
	if o.every > 0 && o.length == 0 {
		o.length = time.Minute
	}
	if o.length > 0 && o.every == 0 {
		o.every = 5 * time.Second
	}
	return nil
}
