package observe

import "example.com/chanx"

// Metric describes one of the numbers in a [Snapshot] to an exporter. The
// nested modules observe/prom and observe/otel are two exporters.
type Metric struct {
	// Name has dots, as in "ring.dropped": that is chanx.ring.dropped in
	// OpenTelemetry and chanx_ring_dropped_total in Prometheus.
	Name string
	Help string
	// Unit is in UCUM, such as "By" or "{record}".
	Unit string
	// Counter says that the number only grows. Others go up and down, except
	// the high-water marks: those are since the thing was made. No export
	// resets them, so that two exporters do not take them from each other.
	Counter bool
	// Labels are the keys of the labels.
	Labels []string
}

// The metrics. Labels have few values, except the names of workers: see
// [Supervisor] for how many of those there are at most.
var (
	ringSent = newMetric("ring.sent", "{value}", true,
		"Values stored in the ring.", "ring")
	ringReceived = newMetric("ring.received", "{value}", true,
		"Values received from the ring.", "ring")
	ringDropped = newMetric("ring.dropped", "{value}", true,
		"Values evicted because the ring was full.", "ring")
	ringLength = newMetric("ring.length", "{value}", false,
		"Values in the ring now.", "ring")
	ringCapacity = newMetric("ring.capacity", "{value}", false,
		"Values that the ring can hold.", "ring")
	ringHighWater = newMetric("ring.high_water", "{value}", false,
		"Most values ever in the ring; never reset.", "ring")

	broadcastSent = newMetric("broadcast.sent", "{value}", true,
		"Values sent to the broadcast.", "broadcast")
	broadcastLength = newMetric("broadcast.length", "{value}", false,
		"Values held by the broadcast now.", "broadcast")
	broadcastCapacity = newMetric("broadcast.capacity", "{value}", false,
		"Values that the broadcast can hold.", "broadcast")
	broadcastSubscribers = newMetric("broadcast.subscribers", "{subscription}",
		false, "Open subscriptions of the broadcast.", "broadcast")

	logAccepted = newMetric("log.accepted", "{record}", true,
		"Records accepted by the log: written, dropped or still buffered.", "log")
	logRecords = newMetric("log.records", "{record}", true,
		"Records of the log by what became of them: written, dropped, or "+
			"refused and so never accepted.", "log", "outcome")
	logBytes = newMetric("log.bytes", "By", true,
		"Bytes of the records of the log by what became of them.", "log", "outcome")
	logBuffered = newMetric("log.buffered_records", "{record}", false,
		"Records waiting in the log now.", "log")
	logBufferedBytes = newMetric("log.buffered_bytes", "By", false,
		"Bytes of the records waiting in the log now.", "log")
	logHighWater = newMetric("log.high_water_bytes", "By", false,
		"Most bytes ever buffered by the log; never reset.", "log")
	logSinkErrors = newMetric("log.sink_errors", "{error}", true,
		"Calls of the sink that returned an error.", "log")
	logSinkRestarts = newMetric("log.sink_restarts", "{restart}", true,
		"Restarts of the log's worker after a panic of the sink.", "log")
	logStalls = newMetric("log.stalls", "{stall}", true,
		"Times that the sink was found to make no progress.", "log")
	logStalled = newMetric("log.stalled", "1", false,
		"Whether the sink makes no progress now.", "log")

	supervisorWorkers = newMetric("supervisor.workers", "{worker}", false,
		"Workers of the supervisor by state, all of them.", "supervisor", "state")
	supervisorLive = newMetric("supervisor.live", "1", false,
		"Whether no worker is stalled or failed, and the set did not give up.",
		"supervisor")
	supervisorReady = newMetric("supervisor.ready", "1", false,
		"Whether the set runs and no worker of it is unwell.", "supervisor")
	supervisorOmitted = newMetric("supervisor.omitted_workers", "{worker}", false,
		"Workers that have no series of their own because there are too many.",
		"supervisor")

	workerRunning = newMetric("worker.running", "1", false,
		"Whether the worker is running.", "supervisor", "worker")
	workerCrashLooping = newMetric("worker.crash_looping", "1", false,
		"Whether the worker waits for a restart, or has been restarted and not "+
			"yet run for long enough.", "supervisor", "worker")
	workerRestarts = newMetric("worker.restarts", "{restart}", true,
		"Restarts of the worker.", "supervisor", "worker")
	workerExits = newMetric("worker.exits", "{exit}", true,
		"Exits of the worker by kind: nil, error, panic, goexit or stall.",
		"supervisor", "worker", "kind")

	unreadable = newMetric("unreadable", "{source}", false,
		"Rings and broadcasts whose Stats method hangs or panics. They have no "+
			"other series.")
)

var metrics []Metric

func newMetric(name, unit string, counter bool, help string,
	labels ...string) Metric {
	m := Metric{name, help, unit, counter, labels}
	metrics = append(metrics, m)
	return m
}

// Metrics returns all metrics, each with a different name.
func Metrics() []Metric { return append([]Metric(nil), metrics...) }

// Measure calls f with each value of each metric, and with the values of the
// labels in the order of Metric.Labels. No two calls with the same metric have
// the same labels. A ring or broadcast with an Error has none.
func (s *Snapshot) Measure(f func(m Metric, value uint64, labels ...string)) {
	hidden := uint64(0)
	for i := range s.Rings {
		if s.Rings[i].Error != "" {
			hidden++
			continue
		}
		s.Rings[i].measure(f)
	}
	for i := range s.Broadcasts {
		if s.Broadcasts[i].Error != "" {
			hidden++
			continue
		}
		s.Broadcasts[i].measure(f)
	}
	for i := range s.Logs {
		s.Logs[i].measure(f)
	}
	for i := range s.Supervisors {
		s.Supervisors[i].measure(f)
	}
	f(unreadable, hidden)
}

type measure = func(m Metric, value uint64, labels ...string)

func (r *Ring) measure(f measure) {
	f(ringSent, r.Sent, r.Name)
	f(ringReceived, r.Received, r.Name)
	f(ringDropped, r.Dropped, r.Name)
	f(ringLength, natural(r.Len), r.Name)
	f(ringCapacity, natural(r.Cap), r.Name)
	f(ringHighWater, natural(r.HighWater), r.Name)
}

func (b *Broadcast) measure(f measure) {
	f(broadcastSent, b.Sent, b.Name)
	f(broadcastLength, natural(b.Len), b.Name)
	f(broadcastCapacity, natural(b.Cap), b.Name)
	f(broadcastSubscribers, natural(b.Subscribers), b.Name)
}

func (g *Log) measure(f measure) {
	f(logAccepted, g.Accepted.Records, g.Name)
	for _, o := range []struct {
		outcome string
		Count
	}{{"written", g.Written}, {"dropped", g.Dropped}, {"refused", g.Refused}} {
		f(logRecords, o.Records, g.Name, o.outcome)
		f(logBytes, o.Bytes, g.Name, o.outcome)
	}
	f(logBuffered, g.Buffered.Records, g.Name)
	f(logBufferedBytes, g.Buffered.Bytes, g.Name)
	f(logHighWater, uint64(g.HighWater), g.Name)
	f(logSinkErrors, g.SinkErrors, g.Name)
	f(logSinkRestarts, g.Restarts, g.Name)
	f(logStalls, g.Stalls, g.Name)
	f(logStalled, one(g.Stalled), g.Name)
}

func (v *Supervisor) measure(f measure) {
	for state := chanx.StateStarting; state <= chanx.StateFailed; state++ {
		f(supervisorWorkers, uint64(v.States[state]), v.Name, state.String())
	}
	f(supervisorLive, one(v.Live), v.Name)
	f(supervisorReady, one(v.Ready), v.Name)
	f(supervisorOmitted, uint64(v.Omitted), v.Name)
	for i := range v.Workers {
		v.Workers[i].measure(v.Name, f)
	}
}

func (w *Worker) measure(set string, f measure) {
	f(workerRunning, one(w.State == chanx.StateRunning), set, w.Name)
	f(workerCrashLooping, one(w.CrashLooping || w.State == chanx.StateBackingOff),
		set, w.Name)
	f(workerRestarts, uint64(w.Restarts), set, w.Name)
	for kind, n := range map[string]uint64{"nil": w.Exits.Nil,
		"error": w.Exits.Error, "panic": w.Exits.Panic,
		"goexit": w.Exits.Goexit, "stall": w.Exits.Stall} {
		f(workerExits, n, set, w.Name, kind)
	}
}

// natural is n, or 0: Stats that are not ours may be negative.
func natural(n int) uint64 { return uint64(max(n, 0)) }

func one(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
