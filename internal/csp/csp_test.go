package csp

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func TestPolicy(t *testing.T) {
	// printf 'p{}' | openssl dgst -sha256 -binary | base64
	const hash = "gG2yISYereRMiG2lMXrbiUgi0Ubw9p7QCeWcroOvy9Y="
	assert.Equal(t, "default-src 'none'; style-src 'sha256-"+hash+
		"'; base-uri 'none'; form-action 'none'", Policy("p{}"))
}
