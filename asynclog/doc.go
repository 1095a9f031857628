// Package asynclog writes logs without letting them stop a service.
//
// A [Writer] is an io.Writer that any logger can write to. It copies each
// record into a buffer of fixed size and returns; a worker of its own, under a
// [chanx.Supervisor], hands the records to the sink in large batches. If the
// sink is slow, fails, panics or hangs, the callers do not notice. What does
// not fit is dropped, counted to the record, and reported in the stream, at
// the place where it is missing.
//
//	w := asynclog.New(file, asynclog.Options{})
//	log := slog.New(asynclog.NewHandler(w, jsonHandler))
//	defer w.Close()
//
// At every instant Accepted == Written + Dropped + Buffered in [Stats], in
// records and in bytes. What the sink has in hand counts as Buffered and is
// never dropped. A process that is killed, or exits without [Writer.Close],
// loses what is Buffered.
//
// [File] is a sink that survives renaming, removal and rotation of its file.
//
// The semantics come from those who have suffered: dropping the oldest and an
// exact count from OpenTelemetry's batch processor, the loss in the stream from
// printk and slog-async, room kept for errors from logback.
package asynclog
