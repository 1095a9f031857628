// Command chanx has the tools of the library chanx:
//
//	chanx doctor 127.0.0.1:6060
//	chanx doctor goroutines.txt profile.pb.gz
//	chanx vet ./...
//	chanx recipe fan-in
//	chanx recipe -pkg server workerpool > pool.go
//
// Doctor reports which goroutines of a Go program are stuck, where, and which
// goroutine should wake them. Vet finds, in the source, sends that can block
// forever; see package vet. Recipe finds concurrency patterns to copy and
// prints them ready to build. Each lists its flags and examples with -h.
//
// The command is a separate module, so that the protobuf decoder and the source
// analysis stay out of the go.mod of the users of the library. The diagnosis
// itself is in package doctor, which imports only the standard library.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
