package main

import (
	"encoding/json"
	"net"
	"sync"

	cilium "github.com/cilium/proxy/go/cilium/api"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// records hands what a proxy has seen to an agent's access log socket, as Cilium's own Envoy filter does: one message for each entry.
type records struct {
	mutex sync.Mutex
	open  map[string]net.Conn
}

func (r *records) send(socket string, entries []json.RawMessage) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, text := range entries {
		var entry cilium.LogEntry
		if err := protojson.Unmarshal(text, &entry); err != nil {
			return err
		}
		message, err := proto.Marshal(&entry)
		if err != nil {
			return err
		}
		if err := r.write(socket, message); err != nil {
			return err
		}
	}
	return nil
}

// write opens the socket where it is not open, and once more where an agent was started again.
func (r *records) write(socket string, message []byte) (err error) {
	for range 2 {
		connection := r.open[socket]
		if connection == nil {
			if connection, err = net.Dial("unixpacket", socket); err != nil {
				return err
			}
			r.open[socket] = connection
		}
		if _, err = connection.Write(message); err == nil {
			return nil
		}
		connection.Close()
		delete(r.open, socket)
	}
	return err
}
