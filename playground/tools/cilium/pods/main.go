// Command pods is what runs in the pods of a mesh of real nodes: servers, callers, held connections and the cluster's DNS; it also hands the
// gateway's access log to the agents. One process for all of them: each socket is made in the network namespace of its pod, so that every
// packet goes through Cilium's programs. It takes orders as JSON lines on stdin, answers on stdout, and ends with its stdin.
package main

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"sync"
)

type order struct {
	ID    int    `json:"id"`
	Do    string `json:"do"`
	Pod   string `json:"pod"`
	Netns string `json:"netns"`

	Port    int    `json:"port"`
	Version string `json:"version"`
	Fault   fault  `json:"fault"`
	Starved bool   `json:"starved"`

	Names map[string][]string `json:"names"`
	Fail  bool                `json:"fail"`

	// Path of an agent's access log socket, and cilium.LogEntry messages in protobuf's JSON.
	Socket  string            `json:"socket"`
	Entries []json.RawMessage `json:"entries"`

	Call    call `json:"call"`
	EveryMs int  `json:"everyMs"`
	// Number of the order that is to end.
	Of int `json:"of"`
}

type answer struct {
	ID    int     `json:"id"`
	Error string  `json:"error,omitempty"`
	Call  *result `json:"call,omitempty"`
	// Set on what comes again and again, of a held connection.
	Again bool `json:"again,omitempty"`
}

type host struct {
	out     sync.Mutex
	mutex   sync.Mutex
	servers map[string]*server
	held    map[int]func()
	names   *names
	records *records
}

func (h *host) say(a answer) {
	line, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	h.out.Lock()
	defer h.out.Unlock()
	if _, err := os.Stdout.Write(append(line, '\n')); err != nil {
		os.Exit(0)
	}
}

func (h *host) obey(o order) (answer, error) {
	done := answer{ID: o.ID}
	switch o.Do {
	case "serve":
		s, err := serve(o.Netns, o.Pod, o.Version, o.Port)
		if err == nil {
			h.mutex.Lock()
			h.servers[o.Pod] = s
			h.mutex.Unlock()
		}
		return done, err
	case "dns":
		s, err := serveNames(o.Netns, h.names)
		if err == nil {
			h.mutex.Lock()
			h.servers[o.Pod] = s
			h.mutex.Unlock()
		}
		return done, err
	case "names":
		h.names.set(o.Names, o.Fail)
		return done, nil
	case "l7":
		return done, h.records.send(o.Socket, o.Entries)
	case "call":
		r := o.Call.make()
		done.Call = &r
		return done, nil
	case "hold":
		end := hold(o.Call, o.EveryMs, func(r result) { h.say(answer{ID: o.ID, Call: &r, Again: true}) })
		h.mutex.Lock()
		h.held[o.ID] = end
		h.mutex.Unlock()
		return done, nil
	case "end":
		h.mutex.Lock()
		end := h.held[o.Of]
		delete(h.held, o.Of)
		h.mutex.Unlock()
		if end != nil {
			end()
		}
		return done, nil
	}
	h.mutex.Lock()
	s := h.servers[o.Pod]
	if o.Do == "close" {
		delete(h.servers, o.Pod)
	}
	h.mutex.Unlock()
	if s == nil {
		return done, nil
	}
	switch o.Do {
	case "fault":
		return done, s.setFault(o.Fault)
	case "starve":
		s.setStarved(o.Starved)
	case "close":
		s.close()
	}
	return done, nil
}

func main() {
	h := &host{servers: map[string]*server{}, held: map[int]func(){}, names: &names{}, records: &records{open: map[string]net.Conn{}}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			h.say(answer{Error: err.Error()})
			continue
		}
		work := func() {
			a, err := h.obey(o)
			if err != nil {
				a.Error = err.Error()
			}
			h.say(a)
		}
		if o.Do == "l7" {
			// In the order in which the proxy saw them.
			work()
			continue
		}
		go work()
	}
}
