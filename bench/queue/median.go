package queue

import "example.com/chanx/bench/round"

// medians takes the median of each figure over the rounds; the latencies of
// all rounds are put together.
func medians(found map[task][]result) map[task]result {
	all := map[task]result{}
	for t, rounds := range found {
		all[t] = median(rounds)
	}
	return all
}

func median(rounds []result) result {
	r := rounds[0]
	if r.why != "" {
		return r
	}
	r.rounds, r.latency = rounds, newHistogram()
	for _, one := range rounds {
		r.latency.Merge(one.latency)
	}
	for _, figure := range []func(*result) *float64{
		func(r *result) *float64 { return &r.perOp },
		func(r *result) *float64 { return &r.allocs },
		func(r *result) *float64 { return &r.memory },
		func(r *result) *float64 { return &r.dropped },
		func(r *result) *float64 { return &r.offered },
		func(r *result) *float64 { return &r.delivered },
	} {
		var values []float64
		for _, one := range rounds {
			values = append(values, *figure(&one))
		}
		*figure(&r) = round.Median(values)
	}
	return r
}
