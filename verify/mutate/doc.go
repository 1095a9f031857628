// Command mutate plants small mistakes in a package, one at a time, and lists
// those that the package's tests do not notice.
//
//	go -C verify run ./mutate -results /tmp/root.txt .
//	go -C verify run ./mutate -results /tmp/asynclog.txt ./asynclog
//
// A mistake is one of: a comparison moved by one or turned round, a condition
// negated, && for ||, + for - and their like, ++ for --, a statement left out.
//
// All of them are compiled into one test binary, and an environment variable
// selects the mistake: compiling takes longer than most tests, and with 600
// mutants it would be most of the work. gremlins, which does the same with one
// copy of the module and one go test for each mutant, was rejected: it runs all
// tests, including those that compile other modules, and its first step alone,
// the coverage, did not end in 100 seconds.
//
// Results are kept in the file of -results, so that the command can be
// interrupted and continued.
package main
