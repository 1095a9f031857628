package producers

import (
	"os"
	"testing"

	"k8s.io/klog/v2"
)

// klog keeps a goroutine that flushes; everything else must be gone.
func TestMain(m *testing.M) {
	if die, ok := deaths[os.Getenv(dieHow)]; ok {
		die(os.Getenv(dieFile))
		os.Exit(99) // it has not died
	}
	code := m.Run()
	klog.StopFlushDaemon()
	os.Exit(code)
}
