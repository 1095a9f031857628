// Command mutate plants every small mistake it can think of in a package, one
// at a time, and says which of them the package's tests do not notice.
//
//	go -C verify run ./mutate -results /tmp/root.txt .
//	go -C verify run ./mutate -results /tmp/asynclog.txt ./asynclog
//
// A mistake is one of: a comparison moved by one or turned round, a condition
// negated, && for ||, + for - and their like, ++ for --, a statement left out.
//
// All of them are compiled into one test binary, which an environment variable
// tells which one to make: compiling takes longer than most tests do, and with
// 600 mutants it would be most of the work. gremlins, which does the same by
// one copy of the module and one go test for each mutant, was tried and given
// up: it runs all tests, those that compile other modules included, and its
// first step alone, the coverage, did not end in 100 seconds.
//
// What has been run is kept in the file of -results, so that the command can
// be interrupted and goes on where it was.
package main
