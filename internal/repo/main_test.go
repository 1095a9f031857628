package repo_test

import (
	"os"
	"path/filepath"
	"testing"

	// The go commands that the tests run compile these, unseen by the test
	// cache: imported, they invalidate it.
	_ "example.com/chanx"
	_ "example.com/chanx/chanxhttp"
	"example.com/chanx/internal/leakgate"
)

// TestMain runs the tests in the root of the repository.
func TestMain(m *testing.M) {
	if err := os.Chdir(filepath.Join("..", "..")); err != nil {
		panic(err)
	}
	leakgate.Main(m)
}
