package main

import (
	"syscall"
	"time"
)

// syscallTimes is the CPU time that this process has used.
type syscallTimes struct{ cpu time.Duration }

func (t *syscallTimes) read() {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		t.cpu = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
}
