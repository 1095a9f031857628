module example.com/chanx/cmd/chanx

go 1.25.0

require (
	example.com/chanx v0.0.0
	github.com/creack/pty v1.1.24
	github.com/golangci/plugin-module-register v0.1.2
	github.com/google/pprof v0.0.0-20260802141513-ef3492d7dac3
	github.com/stretchr/testify v1.12.1
	golang.org/x/mod v0.39.0
	golang.org/x/sync v0.22.0
	golang.org/x/term v0.45.0
	golang.org/x/tools v0.49.0
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace example.com/chanx => ../..
