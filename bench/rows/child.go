package rows

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
)

// childVar is the environment variable that makes a program a child. Its value
// is a job as JSON.
const childVar = "CHANX_BENCH_CHILD"

// A job is what a child process does: the one that is not nil.
type job struct {
	Flood  *load
	Shared *shared
	Served *served
}

// Child does the work of a child process, if this process is one, and reports
// whether it is. Programs that run contests call Child first.
func Child() bool {
	text, ok := os.LookupEnv(childVar)
	if !ok {
		return false
	}
	log.SetOutput(io.Discard)
	if err := work(text); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	return true
}

func work(text string) (err error) {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	var found any
	switch {
	case j.Flood != nil:
		found, err = countedFlood(*j.Flood)
	case j.Shared != nil:
		found, err = share(*j.Shared)
	default:
		found, err = j.Served.run()
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

// runChild starts a program with j and decodes its answer.
func runChild(program []string, j job, found any, env ...string) error {
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	cmd := exec.Command(program[0], program[1:]...)
	cmd.Env = append(append(cmd.Environ(), env...), childVar+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("child process: %w", err)
	}
	return json.Unmarshal(out, found)
}
