package main

import "example.com/chanx/doctor"

// diagnose returns what package doctor finds worst in this process: the
// sentence that took an hour to find when the outage was not a replay.
func diagnose() string {
	found := doctor.Diagnose(doctor.Rules{}, doctor.Take()).Findings
	if len(found) == 0 {
		return ""
	}
	return found[0].Sentence
}
