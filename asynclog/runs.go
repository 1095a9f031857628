package asynclog

// place is a number of records and of their bytes: how much there is of
// something, or how far from its start a place in it is.
type place struct{ records, bytes int }

func (a place) plus(b place) place {
	return place{a.records + b.records, a.bytes + b.bytes}
}

// runs counts the records of a byteRing in runs, so that code that deals with
// many at a time need not look at each: the batch for the sink is made of whole
// runs, and a call of the sink gets one.
type runs struct {
	all      []run // cyclic
	first, n int
	limit    int // bytes of one
}

// run is some records, one behind the other. If it is torn, there is a skip
// or the end of the block between some of them, or was.
type run struct {
	place
	torn bool
}

// runRecords bounds the records of a run, so that a batch of very short ones
// is not a single one.
const runRecords = 1024

// newRuns has room for the runs of a ring of that many bytes and marks. Two
// neighbours are together longer than limit or have more records than
// runRecords, unless one is the oldest, which shrinks.
func newRuns(bytes, marks, limit int) runs {
	limit = max(limit, 1)
	n := 2*(bytes/limit+marks/runRecords) + 4
	return runs{all: make([]run, n), limit: limit}
}

// add counts a record of that many bytes as the newest.
func (q *runs) add(bytes int) {
	if q.n > 0 {
		last := q.newest()
		if last.bytes+bytes <= q.limit && last.records < runRecords {
			last.records++
			last.bytes += bytes
			return
		}
	}
	q.n++
	*q.newest() = run{place: place{1, bytes}}
}

// tear says that the newest record and the next one do not lie in a row.
func (q *runs) tear() { q.newest().torn = true }

// newest returns the run that grows. There must be one.
func (q *runs) newest() *run {
	i := q.first + q.n - 1
	if i >= len(q.all) {
		i -= len(q.all)
	}
	return &q.all[i]
}

// oldest returns the run that shrinks. There must be one.
func (q *runs) oldest() *run { return &q.all[q.first] }

// drop removes the oldest records of the oldest run.
func (q *runs) drop(records, bytes int) {
	f := q.oldest()
	f.records -= records
	f.bytes -= bytes
	if f.records == 0 {
		q.n--
		if q.first++; q.first == len(q.all) {
			q.first = 0
		}
	}
}
