// Command chanx-vet has the checks of chanx vet for the go command:
//
//	go vet -vettool=$(which chanx-vet) ./...
//
// It sees one package at a time, and knows those that the package imports. chanx
// vet sees the module, and finds more.
package main

import (
	"golang.org/x/tools/go/analysis/unitchecker"

	"example.com/chanx/cmd/chanx/vet"
)

func main() { unitchecker.Main(vet.Analyzers(vet.Options{})...) }
