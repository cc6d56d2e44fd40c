// Package record is the frame of the benchmarks: it runs tasks with warm-ups and
// repetitions, keeps what they measured with the machine they ran on, goes on where
// an interrupted run stopped, and compares two runs.
package record
