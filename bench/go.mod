module example.com/chanx/bench

go 1.25.0

replace example.com/chanx => ../

require (
	example.com/chanx v0.0.0-00010101000000-000000000000
	github.com/rs/zerolog v1.35.1
	go.uber.org/zap v1.28.0
)

require (
	go.uber.org/multierr v1.10.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
)
