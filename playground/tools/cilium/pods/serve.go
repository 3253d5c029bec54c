package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// fault is what can be wrong with a pod's answers; all zero is health.
type fault struct {
	ErrorRate float64 `json:"errorRate"`
	Status    int     `json:"status"`
	LatencyMs int     `json:"latencyMs"`
	HangRate  float64 `json:"hangRate"`
	ResetRate float64 `json:"resetRate"`
	Crashed   bool    `json:"crashed"`
	Refused   bool    `json:"refused"`
}

func (f fault) shut() bool { return f.Crashed || f.Refused }

// How long a pod waits in vain for what it depends on.
const starvedFor = time.Second

type server struct {
	netns, pod, version string
	port                int

	mutex   sync.Mutex
	fault   fault
	starved bool
	// Closed when what hangs may end.
	mended chan struct{}
	http   *http.Server
	packet net.PacketConn
}

func serve(netns, pod, version string, port int) (*server, error) {
	s := &server{netns: netns, pod: pod, version: version, port: port, mended: make(chan struct{})}
	return s, s.open()
}

func (s *server) open() error {
	var listener net.Listener
	err := within(s.netns, func() (err error) {
		listener, err = net.Listen("tcp4", fmt.Sprintf(":%d", s.port))
		return err
	})
	if err != nil {
		return err
	}
	s.http = &http.Server{Handler: s, IdleTimeout: time.Minute}
	go s.http.Serve(listener)
	return nil
}

func (s *server) close() {
	if s.packet != nil {
		s.packet.Close()
	}
	if s.http != nil {
		s.http.Close()
	}
}

func (s *server) setStarved(starved bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.starved = starved
}

func (s *server) setFault(next fault) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	before := s.fault
	s.fault = next
	if next.HangRate == 0 && before.HangRate > 0 {
		close(s.mended)
		s.mended = make(chan struct{})
	}
	if next.shut() && !before.shut() {
		s.http.Close()
	}
	if !next.shut() && before.shut() {
		return s.open()
	}
	return nil
}

func (s *server) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	s.mutex.Lock()
	now, starved, mended := s.fault, s.starved, s.mended
	s.mutex.Unlock()
	dice := rand.Float64()
	if dice < now.HangRate {
		select {
		case <-mended:
		case <-request.Context().Done():
		}
		panic(http.ErrAbortHandler)
	}
	if dice < now.HangRate+now.ResetRate {
		if connection, _, err := response.(http.Hijacker).Hijack(); err == nil {
			connection.(*net.TCPConn).SetLinger(0)
			connection.Close()
		}
		return
	}
	status := http.StatusOK
	wait := time.Duration(now.LatencyMs) * time.Millisecond
	if starved {
		status = http.StatusServiceUnavailable
		wait += starvedFor
	} else if rand.Float64() < now.ErrorRate {
		status = now.Status
	}
	if wait > 0 {
		time.Sleep(wait)
	}
	response.Header().Set("content-type", "application/json")
	response.Header().Set("x-pod", s.pod)
	response.WriteHeader(status)
	json.NewEncoder(response).Encode(map[string]any{"pod": s.pod, "version": s.version, "ok": status < 400})
}
