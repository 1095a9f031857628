package doctor

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"
)

// Process is the running program that a snapshot is of. [Take] and
// [TakeStacks] fill it in, so that a report names the instance it is about;
// a dump read from elsewhere has none.
type Process struct {
	Host    string    `json:"host,omitempty"`
	PID     int       `json:"pid"`
	Program string    `json:"program,omitempty"` // base name of the executable
	Version string    `json:"version,omitempty"` // of the main module, and commit
	Go      string    `json:"go,omitempty"`
	Started time.Time `json:"started,omitzero"` // when this package was loaded
}

// Instance is one process that a report is about.
type Instance struct {
	// Name is the Instance of its snapshots, or their Target if that is empty.
	Name string `json:"name"`

	// Process is known only of a process that took the snapshot itself.
	Process *Process `json:"process,omitempty"`

	// Taken is the time of the last snapshot, and Snapshots their number.
	Taken     time.Time `json:"taken,omitzero"`
	Snapshots int       `json:"snapshots"`

	Goroutines int `json:"goroutines"`
}

// instanceOf describes the process of a scene.
func instanceOf(sc *scene) Instance {
	name := sc.now.Instance
	if name == "" {
		name = sc.now.Target
	}
	return Instance{name, sc.now.Process, sc.now.Taken, len(sc.past) + 1,
		sc.now.Goroutines}
}

// started is the start of the process, as near as a library can know it on
// every system.
var started = time.Now()

// self describes this process. Nothing in it changes while the process runs.
var self = sync.OnceValue(func() *Process {
	p := &Process{PID: os.Getpid(), Started: started}
	p.Host, _ = os.Hostname()
	if exe, err := os.Executable(); err == nil {
		p.Program = filepath.Base(exe)
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		p.Version, p.Go = info.Main.Version, info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				p.Version += " " + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return p
})
