package producers

import (
	"flag"
	"os"
	"testing"

	"k8s.io/klog/v2"

	"example.com/chanx/asynclog"
)

// klog: log to the Writer, not to files or standard error; and flush klog,
// which has another buffer, before the Writer is closed.
func Example_klog() {
	w := asynclog.New(os.Stdout, asynclog.Options{})
	defer w.Close()

	var flags flag.FlagSet
	klog.InitFlags(&flags)
	_ = flags.Parse([]string{"-logtostderr=false", "-alsologtostderr=false",
		"-stderrthreshold=FATAL", "-one_output=true", "-skip_headers=true"})
	klog.SetOutput(w)
	klog.Info("started")
	klog.Flush()
	// Output: started
}

func TestKlog(t *testing.T) {
	var flags flag.FlagSet
	klog.InitFlags(&flags)
	_ = flags.Parse([]string{"-logtostderr=false", "-alsologtostderr=false",
		"-stderrthreshold=FATAL", "-one_output=true", "-skip_headers=false"})
	flood(t, func(w *asynclog.Writer) func(string) {
		klog.SetOutput(w)
		return func(msg string) { klog.InfoS(msg) }
	})
}
