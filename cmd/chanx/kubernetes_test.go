//go:build unix

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"

	"example.com/chanx/doctor"
)

// asKubectl in the environment makes the test binary a kubectl that knows one
// command and asks the API server at that address.
const asKubectl = "CHANX_TEST_KUBECTL"

// kubectl is kubectl get pods -l LABELS -o go-template=TEMPLATE.
func kubectl(api string, args []string) int {
	fs := flag.NewFlagSet("kubectl", flag.ExitOnError)
	labels, output := fs.String("l", "", ""), fs.String("o", "", "")
	fs.Parse(args[2:])
	text, ok := strings.CutPrefix(*output, "go-template=")
	if !ok || args[0] != "get" || args[1] != "pods" {
		return 1
	}
	resp, err := http.Get(api + "/api/v1/namespaces/default/pods?labelSelector=" +
		url.QueryEscape(*labels))
	if err != nil {
		return 1
	}
	defer resp.Body.Close()
	var pods map[string]any
	if json.NewDecoder(resp.Body).Decode(&pods) != nil ||
		template.Must(template.New("").Parse(text)).Execute(os.Stdout, pods) != nil {
		return 1
	}
	return 0
}

// apiServer is an API server with these pods, each with its handler on port
// 6060; nil refuses connections. Like the real one it redirects to the slash
// behind proxy, forwards the answer of the pod, and explains a failure in a
// Status.
func apiServer(t *testing.T, pods map[string]http.Handler) string {
	t.Helper()
	mux := http.NewServeMux()
	list := `{"kind":"PodList","items":[`
	for name, pod := range pods {
		if !strings.HasSuffix(list, "[") {
			list += ","
		}
		list += fmt.Sprintf(`{"metadata":{"name":%q,"namespace":"default"}}`, name)
		proxy := "/api/v1/namespaces/default/pods/" + name + ":6060/proxy"
		if pod == nil {
			pod = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusServiceUnavailable)
				io.WriteString(w, `{"kind":"Status","status":"Failure","message":`+
					`"error trying to reach service: dial tcp 10.1.0.7:6060: connect: `+
					`connection refused","reason":"ServiceUnavailable","code":503}`)
			})
		}
		mux.Handle(proxy+"/", http.StripPrefix(proxy, pod))
	}
	mux.HandleFunc("/api/v1/namespaces/default/pods",
		func(w http.ResponseWriter, r *http.Request) {
			require.Equal(t, "app=web", r.URL.Query().Get("labelSelector"))
			io.WriteString(w, list+"]}")
		})
	return serve(t, mux.ServeHTTP)
}

// pod serves an application and net/http/pprof.
func pod(dump string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "<!DOCTYPE html><h1>Shop</h1>")
	})
	mux.HandleFunc("/debug/pprof/", http.NotFound)
	mux.HandleFunc("/debug/pprof/goroutine", func(w http.ResponseWriter,
		r *http.Request) {
		io.WriteString(w, dump)
	})
	return mux
}

// TestKubernetes runs the line of the documentation as a person would, against
// a stand-in for the API server.
func TestKubernetes(t *testing.T) {
	own := http.NewServeMux()
	own.HandleFunc("/", http.NotFound)
	own.Handle("/debug/chanx/", doctor.Handler())
	api := apiServer(t, map[string]http.Handler{
		"web-7d4b9c-abcde": pod(requests(12)), "web-7d4b9c-fghij": pod(requests(30)),
		"web-7d4b9c-klmno": own, "web-7d4b9c-pqrst": nil,
	})
	exe, err := os.Executable()
	require.NoError(t, err)
	bin := t.TempDir()
	for name, env := range map[string]string{
		"chanx": asCommand + "=1", "kubectl": asKubectl + "=" + api,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name),
			fmt.Appendf(nil, "#!/bin/sh\n%s exec '%s' \"$@\"\n", env, exe), 0o755))
	}
	line := strings.ReplaceAll(kubernetes, "127.0.0.1:8001",
		strings.TrimPrefix(api, "http://"))
	cmd := exec.Command("sh", "-c", strings.Replace(line, "doctor", "doctor -json", 1))
	cmd.Env = append(os.Environ(), "PATH="+bin+":/bin:/usr/bin")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.Equal(t, exitFindings, cmd.ProcessState.ExitCode(), "%v %s", err,
		stderr.String())
	r := parse(t, string(out))
	require.Len(t, r.Targets, 4)
	require.Len(t, r.Instances, 3)
	require.Equal(t, 42, r.Findings[0].Count)
	require.Len(t, r.Findings[0].Instances, 2)
	unreachable := false
	for _, f := range r.Findings {
		if f.Operation == "unreachable" {
			unreachable = true
			require.Contains(t, f.Sentence, "web-7d4b9c-pqrst")
			require.Contains(t, f.Sentence, "10.1.0.7:6060: connect: connection "+
				"refused")
		}
	}
	require.True(t, unreachable)
	require.Contains(t, doctorUsage, kubernetes)
}
