package asynclog

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction(
		"gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun"))
}
