// Command variants plants known mistakes in the library, one at a time, and
// says which test notices each first. They are mistakes that somebody could
// make: most have been made, here or in a peer.
//
//	go -C verify run ./variants             all of them
//	go -C verify run ./variants -run ring   those whose name matches
//
// It writes the table in verify/README.md, where those that were not run keep
// their row. It fails if a variant survives, or no longer applies: the text it
// replaces must be in the package exactly once.
package main
