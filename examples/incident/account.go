package main

// account is where the records of a log have gone. At rest, when nobody is on
// the way into the log or inside it,
//
//	Accepted == Written + Dropped + Buffered
//
// The four are counted apart from each other: Written by reading the files.
type account struct {
	Accepted int64 `json:"accepted"` // by the log, from a request
	Written  int64 `json:"written"`  // lines in the files
	Dropped  int64 `json:"dropped"`  // evicted, or lost with a failed write
	Buffered int64 `json:"buffered"` // still on the way, for ever perhaps
}

func (a account) balanced() bool {
	return a.Accepted == a.Written+a.Dropped+a.Buffered
}
