// Package asynclog writes logs without letting them stop a service.
//
// A [Writer] is an io.Writer that any logger can write to. It copies each
// record into a buffer of fixed size and returns; its worker, a goroutine under
// a [chanx.Supervisor], passes the records to the sink in large batches. If the
// sink is slow, fails, panics or hangs, the callers do not notice. Records that
// do not fit are dropped, counted exactly, and reported in the stream, at the
// place where they are missing.
//
//	w := asynclog.New(file, asynclog.Options{})
//	log := slog.New(asynclog.NewHandler(w, jsonHandler))
//	defer w.Close()
//
// At every instant Accepted == Written + Dropped + Buffered in [Stats], in
// records and in bytes. The batch in the hands of the sink counts as Buffered
// and is never dropped.
//
// The design follows others: dropping the oldest with an exact count from
// OpenTelemetry's batch processor, the loss in the stream from printk and
// slog-async, room kept for errors from logback.
//
// # The last line
//
// A process that is killed, or exits without [Writer.Close], loses the records
// that are Buffered. To keep the last line:
//
//   - Defer Close in main. A panic in main runs it, os.Exit and log.Fatal do not.
//   - With Options.SyncLevel set to slog.LevelError, an Error is written before
//     the logging call returns, and all records before it. Then os.Exit may
//     follow.
//   - zap.Fatal calls [Writer.Sync], and zerolog's Fatal calls Close, without
//     any setup. logrus.Fatal runs its exit handlers, klog.Fatal calls
//     klog.OsExit; both need one line, see below.
//   - SIGTERM and SIGINT need signal.NotifyContext, and then [Writer.Shutdown]
//     with a context other than that one, which is done by then.
//   - A panic in another goroutine ends the process without running the
//     deferred functions of main. A function deferred in that goroutine can
//     recover, log at SyncLevel and panic again. For goroutines of a library,
//     debug.SetCrashOutput keeps the runtime's message in a file, but Buffered
//     records are lost.
//   - Nothing helps against SIGKILL and an os.Exit elsewhere: SyncLevel bounds
//     the loss to records below it.
//
// # Loggers
//
// log/slog: [NewHandler]. zap and zerolog: the modules asynclog/asynczap and
// asynclog/asynczerolog pass the level of each record on. The Writer alone
// works with every logger that takes an io.Writer and calls Write once for each
// record. Records written that way have no level: Options.SyncLevel does not
// apply to them, and the fifth of Options.Budget that is reserved for errors
// stays empty, so set Options.Reserve to -1.
//
// The standard log, whose lines get one level for all:
//
//	std := slog.NewLogLogger(asynclog.NewHandler(w, jsonHandler), slog.LevelError)
//	log.SetFlags(0)
//	log.SetOutput(std.Writer())
//
// logrus:
//
//	logger.SetOutput(w)
//	logrus.RegisterExitHandler(func() { _ = w.Sync() })
//
// klog, here with levels, by the type of [Writer.WriteLeveled]'s example:
//
//	flag.Set("logtostderr", "false") // registered by klog.InitFlags(nil)
//	flag.Set("one_output", "true")
//	klog.SetOutputBySeverity("INFO", leveled{w, slog.LevelInfo})
//	klog.SetOutputBySeverity("WARNING", leveled{w, slog.LevelWarn})
//	klog.SetOutputBySeverity("ERROR", leveled{w, slog.LevelError})
//	klog.SetOutputBySeverity("FATAL", leveled{w, slog.LevelError})
//	klog.OsExit = func(code int) { _ = w.Close(); os.Exit(code) }
//
// logr:
//
//	logger := logr.FromSlogHandler(asynclog.NewHandler(w, jsonHandler))
//
// gin:
//
//	gin.DefaultWriter, gin.DefaultErrorWriter = w, w
//	engine := gin.New()
//	engine.Use(gin.LoggerWithWriter(w), gin.RecoveryWithWriter(w))
//
// # Sinks
//
// [File] is a sink that survives renaming, removal and rotation of its file by
// another program. For rotation by the process itself, by size or age, use
// github.com/DeRuina/timberjack or gopkg.in/natefinch/lumberjack.v2 as the
// sink, and close it after the Writer: rotating under load tears and loses no
// line. They do not notice that the file was removed: of 20 lines written after
// that, 0 are in the file with both, 20 with File. After its Close, lumberjack
// leaves a goroutine behind.
//
// A sink for datagrams, or one that expects one record in each call, needs
// Options.Unbatched.
//
// os.Stdout and os.Stderr: when the reader of a pipe on them has gone, a write
// ends a Go process with SIGPIPE, whether it is the sink's or
// Options.Fallback's. One line prevents that, and the write returns an error:
//
//	signal.Ignore(syscall.SIGPIPE)
//
// Two sinks: use two Writers, and an io.MultiWriter in front of them. With an
// io.MultiWriter as the sink, an error of the second half makes the Writer
// repeat the records on the first.
package asynclog
