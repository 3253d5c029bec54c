package main

import (
	"bufio"
	"net"
	"time"
)

const (
	// A live connection whose bytes are not acknowledged for so long is told as broken …
	brokenAfter = 600 * time.Millisecond
	// … and given up by its application after so long.
	givenUpAfter = 5 * time.Second
)

// hold keeps one connection open and uses it now and then, as a pool does; broken, it is given up and opened again. The returned function ends it.
func hold(c call, everyMs int, tell func(result)) func() {
	done := make(chan struct{})
	every := time.Duration(everyMs) * time.Millisecond
	pause := func() bool {
		select {
		case <-done:
			return false
		case <-time.After(every):
			return true
		}
	}
	go func() {
		for pause() {
			r, connection := c.connect()
			if connection == nil {
				tell(r)
				continue
			}
			use(c, connection, r, tell, pause)
			connection.Close()
		}
	}()
	return func() { close(done) }
}

func use(c call, connection net.Conn, first result, tell func(result), pause func() bool) {
	reader := bufio.NewReader(connection)
	r := first
	for {
		began := time.Now()
		sentAgain := retransmissions(connection)
		r.Outcome = "answered"
		answered := make(chan struct{})
		broken := make(chan bool, 1)
		go func() {
			select {
			case <-answered:
				broken <- false
			case <-time.After(brokenAfter):
				// Told at once: when it began to be silent matters, not when somebody gave up.
				lost := unacknowledged(connection)
				if lost {
					tell(result{Outcome: "dropped", At: millis(began), Broken: true})
				}
				broken <- lost
			}
		}()
		c.ask(connection, reader, &r, givenUpAfter)
		close(answered)
		isTold := <-broken
		// What was swallowed and came through at the second try was lost all the same.
		if !isTold && retransmissions(connection) > sentAgain {
			tell(result{Outcome: "dropped", At: millis(began), Broken: true})
			isTold = true
		}
		if !isTold || r.Outcome == "answered" {
			tell(r)
		}
		if r.Outcome != "answered" && r.Outcome != "refused" {
			return
		}
		if !pause() {
			return
		}
		// From now on it is the same connection: nothing is looked up or opened.
		r = result{At: millis(time.Now())}
	}
}
