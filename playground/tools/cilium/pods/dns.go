package main

import (
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// names is what the cluster's DNS knows.
type names struct {
	mutex sync.Mutex
	known map[string][]string
	fail  bool
}

func (n *names) set(known map[string][]string, fail bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.known, n.fail = known, fail
}

// serveNames answers A questions on port 53 of a namespace.
func serveNames(netns string, known *names) (*server, error) {
	var packet net.PacketConn
	err := within(netns, func() (err error) {
		packet, err = net.ListenPacket("udp4", ":53")
		return err
	})
	if err != nil {
		return nil, err
	}
	go func() {
		buffer := make([]byte, 1500)
		for {
			size, from, err := packet.ReadFrom(buffer)
			if err != nil {
				return
			}
			if reply, err := known.answer(buffer[:size]); err == nil {
				packet.WriteTo(reply, from)
			}
		}
	}()
	return &server{packet: packet}, nil
}

func (n *names) answer(question []byte) ([]byte, error) {
	var asked dnsmessage.Message
	if err := asked.Unpack(question); err != nil {
		return nil, err
	}
	if len(asked.Questions) != 1 {
		return nil, errors.New("not one question")
	}
	q := asked.Questions[0]
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: asked.ID, Response: true, RecursionDesired: asked.RecursionDesired, RecursionAvailable: true},
		Questions: asked.Questions,
	}
	n.mutex.Lock()
	addresses, found := n.known[strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))]
	fail := n.fail
	n.mutex.Unlock()
	switch {
	case fail:
		reply.RCode = dnsmessage.RCodeServerFailure
	case !found:
		reply.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		for _, address := range addresses {
			reply.Answers = append(reply.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 30},
				Body:   &dnsmessage.AResource{A: [4]byte(net.ParseIP(address).To4())},
			})
		}
	}
	return reply.Pack()
}

// As a stub resolver asks: again after a second, for two seconds.
var lookupTries = []time.Duration{time.Second, time.Second}

// lookUp asks a DNS server for the addresses of a name; an error without a single address. `lost`: the first question had no answer.
func lookUp(netns, server, name string) (lost bool, err error) {
	full, err := dnsmessage.NewName(name + ".")
	if err != nil {
		return false, err
	}
	question, err := (&dnsmessage.Message{
		Header:    dnsmessage.Header{ID: uint16(rand.Uint32()), RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: full, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}).Pack()
	if err != nil {
		return false, err
	}
	var connection net.Conn
	if err := within(netns, func() (err error) {
		connection, err = net.Dial("udp4", net.JoinHostPort(server, "53"))
		return err
	}); err != nil {
		return false, err
	}
	defer connection.Close()
	buffer := make([]byte, 1500)
	for _, patience := range lookupTries {
		if _, err = connection.Write(question); err != nil {
			return lost, err
		}
		connection.SetReadDeadline(time.Now().Add(patience))
		var size int
		if size, err = connection.Read(buffer); err != nil {
			lost = true
			continue
		}
		var reply dnsmessage.Message
		if err = reply.Unpack(buffer[:size]); err != nil {
			return lost, err
		}
		if len(reply.Answers) == 0 {
			return lost, errors.New(reply.RCode.String())
		}
		return lost, nil
	}
	return lost, err
}
