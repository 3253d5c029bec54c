package main

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// within runs work on a thread in a network namespace (a path). Sockets that it makes stay there; the thread ends with it.
func within(netns string, work func() error) error {
	if netns == "" {
		return work()
	}
	done := make(chan error, 1)
	go func() {
		// Never unlocked: a thread that has changed its namespace must not be used for anything else.
		runtime.LockOSThread()
		file, err := os.Open(netns)
		if err != nil {
			done <- err
			return
		}
		defer file.Close()
		if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("entering %s: %w", netns, err)
			return
		}
		done <- work()
	}()
	return <-done
}
