// Command chanx has the tools of the library chanx. There is one so far:
//
//	chanx doctor 127.0.0.1:6060
//	chanx doctor goroutines.txt profile.pb.gz
//
// It reports which goroutines of a Go program are stuck, where, and which
// goroutine should wake them. chanx doctor -h lists its flags and examples.
//
// The command is a separate module, so that the protobuf decoder and the source
// analysis stay out of the go.mod of the users of the library. The diagnosis
// itself is in package doctor, which imports only the standard library.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
