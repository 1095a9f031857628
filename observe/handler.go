package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"example.com/chanx/doctor"
)

// ServeHTTP answers with a page for people, or as ?format=text or ?format=json
// asks. Problems come first. The goroutines of the process are sampled as by
// [doctor.Handler], at most once a second. If that takes more than two seconds,
// as on a machine with many more busy goroutines than cores, page and text have
// the previous sample, and say so; the JSON waits. With
// ?stacks=1 page and text are those of doctor.Handler, with all stacks.
//
// The JSON is the report of the doctor, so that everything that reads that
// can read this: the problems are among its findings. It has one more key,
// "observe", with the [Snapshot]. The command chanx doctor reads it.
//
// Rates are since the previous look: see [Rate].
//
// It takes no lock that other code takes, writes no log, and calls the code of
// others as [Observer.Snapshot] does, so it answers when the rest of the
// process hangs; but a middleware in front of it may not. It shows the host,
// names of functions and the texts of errors, which may contain secrets: keep
// it, like net/http/pprof, away from strangers. GET and HEAD only; a HEAD
// request does not look.
func (o *Observer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	query := r.URL.Query()
	form, ok := forms[query.Get("format")]
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "observe: only GET and HEAD", http.StatusMethodNotAllowed)
		return
	case strings.HasSuffix(r.URL.Path, "/debug/pprof/goroutine"):
		// chanx doctor looks there for a profile, below every URL it is given.
		// The page is none, but may have the stack of a panic in it.
		http.NotFound(w, r)
		return
	case !ok:
		http.Error(w, "observe: format is html, text or json",
			http.StatusBadRequest)
		return
	case query.Get("stacks") == "1" && form.write != nil:
		o.goroutines.doctor.ServeHTTP(w, r)
		return
	}
	header.Set("Content-Type", form.contentType)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Security-Policy", pagePolicy+"; frame-ancestors 'none'")
	if r.Method == http.MethodHead {
		return
	}
	body := o.body(r.Context(), form, query.Get("stacks") == "1")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) // an error is of a client that has gone
}

// form is a format that ServeHTTP answers in.
type form struct {
	contentType string
	write       func(*view) []byte // nil: JSON
}

// The empty format is HTML.
var forms = map[string]form{
	"": htmlForm, "html": htmlForm, "json": {"application/json", nil},
	"text": {"text/plain; charset=utf-8", (*view).text},
}

var htmlForm = form{"text/html; charset=utf-8", (*view).html}

// view is what a page is made of.
type view struct {
	Snapshot
	Report *doctor.Report // of the goroutines
}

func (o *Observer) body(ctx context.Context, f form, stacks bool) []byte {
	v := &view{Snapshot: o.look(true)}
	if f.write == nil {
		v.Report = o.goroutines.now(ctx, stacks)
		return v.json(stacks)
	}
	v.Report = o.goroutines.soon(ctx)
	v.addFindings()
	return f.write(v)
}

// maxFindings is how many findings of the doctor have a sentence on the page.
const maxFindings = 5

// addFindings adds those of the doctor that are probably wrong.
func (v *view) addFindings() {
	for i, f := range v.Report.Findings {
		if f.Severity == doctor.Info {
			break
		}
		if i == maxFindings {
			f.Sentence = "other goroutines are stuck as well: see all of them"
		}
		v.add(Problem{f.Severity, "goroutines", "", f.Sentence})
		if i == maxFindings {
			break
		}
	}
	sortProblems(v.Problems)
}

// json is the report with the problems as findings, and the snapshot in it.
func (v *view) json(stacks bool) []byte {
	for _, p := range v.Problems {
		v.Report.Add(doctor.Finding{Severity: p.Severity, Sentence: p.Sentence,
			Operation: doctor.Operation(p.Kind), Confidence: doctor.ConfidenceHigh,
			Receiver:           doctor.ReceiverUnknown,
			ReceiverConfidence: doctor.ConfidenceHigh})
	}
	write := v.Report.WriteJSON
	if stacks {
		write = v.Report.WriteJSONStacks
	}
	var b bytes.Buffer
	_ = write(&b) // to a Buffer
	snapshot, _ := json.MarshalIndent(v.Snapshot, "  ", "  ")
	b.Truncate(bytes.LastIndexByte(b.Bytes(), '}') - 1)
	b.WriteString(",\n  \"observe\": ")
	b.Write(snapshot)
	b.WriteString("\n}\n")
	return b.Bytes()
}
