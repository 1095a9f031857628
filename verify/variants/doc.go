// Command variants plants known mistakes in the library, one at a time, and
// reports the test that notices each first. Most have been made, here or in a
// peer.
//
//	go -C verify run ./variants             all of them
//	go -C verify run ./variants -run ring   those with a matching name
//
// It writes the table in verify/README.md, in which variants that were not run
// keep their row. It fails if a variant survives, or no longer applies: the text
// it replaces must be in the package exactly once.
package main
