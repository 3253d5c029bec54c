package main

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"time"

	"golang.org/x/sys/unix"
)

// call is one request on one connection, by the address that its caller has chosen.
type call struct {
	Netns string `json:"netns"`
	// Address of the caller, where it has several.
	From string `json:"from"`
	// Where the name is asked for first; empty = it is not.
	DNS     string            `json:"dns"`
	Host    string            `json:"host"`
	Address string            `json:"address"`
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
	// For the connection, and for the answer.
	PatienceMs int `json:"patienceMs"`
	// Nothing is asked once the connection is up.
	ConnectOnly bool `json:"connectOnly"`
}

// result is what became of it; times are Unix milliseconds.
type result struct {
	// answered, refused (403), dropped, unresolved, failed.
	Outcome string `json:"outcome"`
	// The lookup began, the connection began.
	LookedUpAt float64 `json:"lookedUpAt,omitempty"`
	// The first question had no answer, whatever became of the second.
	LookupLost bool    `json:"lookupLost,omitempty"`
	At         float64 `json:"at,omitempty"`
	ConnectMs  float64 `json:"connectMs,omitempty"`
	// Bytes that were sent on a live connection, and that the other side never acknowledged.
	Broken bool   `json:"broken,omitempty"`
	Status int    `json:"status,omitempty"`
	Error  string `json:"error,omitempty"`
}

func millis(t time.Time) float64 { return float64(t.UnixMicro()) / 1000 }

func (c call) patience() time.Duration { return time.Duration(c.PatienceMs) * time.Millisecond }

func (c call) make() result {
	r, connection := c.connect()
	if connection == nil {
		return r
	}
	defer connection.Close()
	if c.ConnectOnly {
		return r
	}
	c.ask(connection, bufio.NewReader(connection), &r, c.patience())
	return r
}

// connect looks the name up and opens the connection; without one the result says why.
func (c call) connect() (result, net.Conn) {
	r := result{Outcome: "unresolved"}
	if c.DNS != "" {
		r.LookedUpAt = millis(time.Now())
		lost, err := lookUp(c.Netns, c.DNS, c.Host)
		r.LookupLost = lost
		if err != nil {
			r.Error = err.Error()
			return r, nil
		}
	}
	var connection net.Conn
	began := time.Now()
	r.At = millis(began)
	dialer := net.Dialer{Timeout: c.patience(), KeepAlive: -1}
	if c.From != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(c.From)}
	}
	err := within(c.Netns, func() (err error) {
		connection, err = dialer.Dial("tcp4", c.Address)
		return err
	})
	if err != nil {
		r.Error = err.Error()
		r.Outcome = "failed"
		if isTimeout(err) {
			r.Outcome = "dropped"
		}
		return r, nil
	}
	r.ConnectMs = float64(time.Since(began).Microseconds()) / 1000
	r.Outcome = "answered"
	return r, connection
}

// ask makes the request and reads the whole answer.
func (c call) ask(connection net.Conn, reader *bufio.Reader, r *result, patience time.Duration) {
	connection.SetDeadline(time.Now().Add(patience))
	text := c.Method + " " + c.Path + " HTTP/1.1\r\nHost: " + c.Host + "\r\n"
	for name, value := range c.Headers {
		text += name + ": " + value + "\r\n"
	}
	_, err := connection.Write([]byte(text + "\r\n"))
	if err == nil {
		var response *http.Response
		if response, err = http.ReadResponse(reader, nil); err == nil {
			buffer := make([]byte, 4096)
			for {
				if _, end := response.Body.Read(buffer); end != nil {
					break
				}
			}
			r.Status = response.StatusCode
			if r.Status == http.StatusForbidden {
				r.Outcome = "refused"
			}
			return
		}
	}
	r.Error = err.Error()
	r.Outcome = "failed"
	if isTimeout(err) && unacknowledged(connection) {
		r.Outcome = "dropped"
		r.Broken = true
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// unacknowledged tells a network that swallows packets from a server that does not answer.
func unacknowledged(connection net.Conn) bool {
	info := infoOf(connection)
	return info.Unacked > 0 && info.Retransmits > 0
}

// retransmissions is how many packets of the connection were sent more than once until now.
func retransmissions(connection net.Conn) uint32 {
	return infoOf(connection).Total_retrans
}

// infoOf is what the kernel knows of a connection; nothing, where it is gone.
func infoOf(connection net.Conn) unix.TCPInfo {
	var known unix.TCPInfo
	raw, err := connection.(*net.TCPConn).SyscallConn()
	if err != nil {
		return known
	}
	raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			known = *info
		}
	})
	return known
}
