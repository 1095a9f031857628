package producers

import (
	"os"
	"testing"

	"k8s.io/klog/v2"
)

// klog keeps a goroutine that flushes; everything else must be gone.
func TestMain(m *testing.M) {
	code := m.Run()
	klog.StopFlushDaemon()
	os.Exit(code)
}
