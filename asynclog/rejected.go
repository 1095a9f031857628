package asynclog

import "errors"

// ErrRejected is for sinks to wrap: it says that their error is the fault of a
// record, not theirs, and that the same record would fail again. The Writer
// then finds the record, hands over the others, drops that one, counts it and
// reports the loss where it is missing. Options.Rejected decides for the errors
// of sinks that do not know of this package; the error number EMSGSIZE, of a
// datagram that is too long, needs neither.
var ErrRejected = errors.New("asynclog: the sink rejects the record")

// rejects reports whether err is the fault of a record. It runs foreign code,
// within what counts as the call of the sink.
func (w *Writer) rejects(err error) bool {
	return err != nil && (errors.Is(err, ErrRejected) || tooLong(err) ||
		w.opts.Rejected != nil && w.opts.Rejected(err))
}
