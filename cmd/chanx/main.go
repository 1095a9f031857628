// Command chanx has the tools of the library chanx. There is one so far:
//
//	chanx doctor http://127.0.0.1:6060
//	chanx doctor goroutines.txt profile.pb.gz
//
// It says which goroutines of a Go program are stuck, where, and who should
// have been receiving. chanx doctor -h has its flags and more examples.
//
// The command is a module of its own, so that the protobuf decoder and the
// source analysis that it needs stay out of the go.mod of everybody who uses
// the library. The judgement itself is in package doctor, which imports only
// the standard library.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
