// Package heap measures for tests what a call allocates: decoders of outside bytes
// must stay in proportion to the bytes, whatever those claim.
package heap

import "runtime"

// Allocated returns how many bytes the process allocated during f, freed ones included.
// What runs beside f counts too, so bounds need slack.
func Allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
