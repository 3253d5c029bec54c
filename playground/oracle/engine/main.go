// Reads policy cases (one JSON object a line) and writes what Cilium's own policy engine says of each: the result of layers 3 and 4
// for both ends, and whether the connection goes through a proxy.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"os"
	"strings"

	"github.com/cilium/cilium/pkg/crypto/certificatemanager"
	"github.com/cilium/cilium/pkg/endpoint/regeneration"
	envoypolicy "github.com/cilium/cilium/pkg/envoy/policy"
	"github.com/cilium/cilium/pkg/fqdn/dns"
	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/identity/identitymanager"
	ciliumv2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	slim_metav1 "github.com/cilium/cilium/pkg/k8s/slim/k8s/apis/meta/v1"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/api"
	policytypes "github.com/cilium/cilium/pkg/policy/types"
	policyutils "github.com/cilium/cilium/pkg/policy/utils"
	testidentity "github.com/cilium/cilium/pkg/testutils/identity"
	testpolicy "github.com/cilium/cilium/pkg/testutils/policy"
	"github.com/cilium/cilium/pkg/types"
	"github.com/cilium/cilium/pkg/u8proto"
)

type namedPort struct {
	Name     string `json:"name"`
	Port     uint16 `json:"port"`
	Protocol string `json:"protocol"`
}

type peer struct {
	Labels     []string    `json:"labels"`
	IP         string      `json:"ip"`
	FQDNs      []string    `json:"fqdns"`
	NamedPorts []namedPort `json:"namedPorts"`
}

type service struct {
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"`
	Labels    map[string]string `json:"labels"`
	Selector  map[string]string `json:"selector"`
	Backends  []string          `json:"backends"`
}

type testCase struct {
	ID       string            `json:"id"`
	Policies []json.RawMessage `json:"policies"`
	Services []service         `json:"services"`
	Flow     struct {
		Source          peer   `json:"source"`
		Destination     peer   `json:"destination"`
		Protocol        string `json:"protocol"`
		DestinationPort uint16 `json:"destinationPort"`
		ICMPType        uint16 `json:"icmpType"`
	} `json:"flow"`
}

type direction struct {
	L4    string `json:"l4"`
	Proxy bool   `json:"proxy"`
}

type answer struct {
	ID      string     `json:"id"`
	Egress  *direction `json:"egress,omitempty"`
	Ingress *direction `json:"ingress,omitempty"`
	// Why the engine was not asked.
	Skipped string `json:"skipped,omitempty"`
}

var logger = slog.New(slog.DiscardHandler)

func main() {
	option.Config.EnableIPv4 = true
	option.Config.EnableIPv6 = false
	option.Config.EnableL7Proxy = true
	option.Config.EnableICMPRules = true
	option.Config.EnableNonDefaultDenyPolicies = true
	api.InitEntities("default")
	option.Config.UnsafeDaemonConfigOption.AllowLocalhost = option.AllowLocalhostAlways
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var one testCase
		if err := json.Unmarshal(in.Bytes(), &one); err != nil {
			fmt.Fprintln(os.Stderr, "no case:", err)
			os.Exit(2)
		}
		decided, err := decide(one)
		if err != nil {
			decided = answer{Skipped: err.Error()}
		}
		decided.ID = one.ID
		if err := out.Encode(decided); err != nil {
			os.Exit(2)
		}
	}
}

func decide(one testCase) (answer, error) {
	var rules api.Rules
	for _, raw := range one.Policies {
		var object ciliumv2.CiliumNetworkPolicy
		if err := json.Unmarshal(raw, &object); err != nil {
			return answer{}, err
		}
		for _, rule := range append(api.Rules{object.Spec}, object.Specs...) {
			if err := resolveServices(rule, one.Services); err != nil {
				return answer{}, err
			}
		}
		parsed, err := object.Parse(logger, "default")
		if err != nil {
			return answer{}, err
		}
		rules = append(rules, parsed...)
	}
	flow := one.Flow
	prefixes := prefixesOf(rules)
	source, err := identityOf(flow.Source, rules, prefixes, 1)
	if err != nil {
		return answer{}, err
	}
	destination := source
	if fmt.Sprint(flow.Source) != fmt.Sprint(flow.Destination) {
		if destination, err = identityOf(flow.Destination, rules, prefixes, 2); err != nil {
			return answer{}, err
		}
	}
	identities := identity.IdentityMap{source.ID: source.LabelArray, destination.ID: destination.LabelArray}
	manager := identitymanager.NewIDManager(logger)
	translator := envoypolicy.NewEnvoyL7RulesTranslator(logger, certificatemanager.NewMockSecretManagerInline())
	repo := policy.NewPolicyRepository(logger, identities, nil, translator, manager, testpolicy.NewPolicyMetricsNoop())
	repo.GetSelectorCache().SetLocalIdentityNotifier(testidentity.NewDummyIdentityNotifier())
	manager.Subscribe(testpolicy.SelectorCacheObserver{Cache: repo.GetSubjectSelectorCache()})
	ports := types.NewNamedPortMultiMap()
	for _, end := range []struct {
		id    identity.NumericIdentity
		named []namedPort
	}{{source.ID, flow.Source.NamedPorts}, {destination.ID, flow.Destination.NamedPorts}} {
		known := types.NamedPortMap{}
		for _, port := range end.named {
			if err := known.AddPort(port.Name, int(port.Port), port.Protocol); err != nil {
				return answer{}, err
			}
		}
		ports.Update(end.id, nil, known)
	}
	repo.SetNamedPortsGetter(getter{ports})
	repo.MustAddPolicyEntries(policyutils.RulesToPolicyEntries(rules))
	manager.Add(source)
	if destination != source {
		manager.Add(destination)
	}
	proto, err := u8proto.ParseProtocol(flow.Protocol)
	if err != nil {
		return answer{}, err
	}
	port := flow.DestinationPort
	if flow.Protocol == "ICMP" {
		port = flow.ICMPType
	}
	named := flow.Destination.NamedPorts
	var result answer
	if isJudged(flow.Source) {
		key := policy.EgressKey().WithIdentity(destination.ID).WithPortProto(proto, port)
		if result.Egress, err = look(repo, source, named, key); err != nil {
			return answer{}, err
		}
	}
	if isJudged(flow.Destination) {
		key := policy.IngressKey().WithIdentity(source.ID).WithPortProto(proto, port)
		if result.Ingress, err = look(repo, destination, named, key); err != nil {
			return answer{}, err
		}
	}
	return result, nil
}

// As pkg/policy/k8s/service.go does: a Service stands for the pods that it selects, or for the addresses behind it.
func resolveServices(rule *api.Rule, services []service) error {
	if rule == nil {
		return nil
	}
	for i := range rule.Egress {
		for _, wanted := range rule.Egress[i].ToServices {
			for _, one := range services {
				if !isMeant(wanted, one) {
					continue
				}
				if len(one.Selector) == 0 {
					for _, address := range one.Backends {
						if !strings.Contains(address, "/") {
							address += "/32"
						}
						rule.Egress[i].ToCIDRSet = append(rule.Egress[i].ToCIDRSet, api.CIDRRule{Cidr: api.CIDR(address), Generated: true})
					}
					continue
				}
				chosen := map[string]string{"io.kubernetes.pod.namespace": one.Namespace}
				for key, value := range one.Selector {
					chosen[key] = value
				}
				selector := api.NewESFromK8sLabelSelector(labels.LabelSourceK8sKeyPrefix, &slim_metav1.LabelSelector{MatchLabels: chosen})
				selector.Generated = true
				rule.Egress[i].ToEndpoints = append(rule.Egress[i].ToEndpoints, selector)
			}
		}
	}
	return nil
}

func isMeant(wanted api.Service, one service) bool {
	if by := wanted.K8sServiceSelector; by != nil {
		if by.Namespace != "" && by.Namespace != one.Namespace {
			return false
		}
		return policytypes.Matches(policytypes.NewLabelSelector(api.EndpointSelector(by.Selector)), anySource(one.Labels))
	}
	ref := wanted.K8sService
	return ref != nil && (ref.Namespace == "" || ref.Namespace == one.Namespace) && ref.ServiceName == one.Name
}

func look(repo *policy.Repository, end *identity.Identity, named []namedPort, key policy.Key) (*direction, error) {
	selected, _, err := repo.ComputeSelectorPolicy(end)
	if err != nil {
		return nil, err
	}
	distilled := selected.DistillPolicy(logger, owner{named}, map[string]uint16{policy.FallbackRedirectID: math.MaxUint16})
	distilled.Ready()
	defer distilled.Detach(logger)
	entry, _, _ := distilled.Lookup(key)
	if entry.IsDeny() {
		return &direction{L4: "denied"}, nil
	}
	return &direction{L4: "allowed", Proxy: entry.IsRedirectEntry()}, nil
}

// Policies are enforced on pods, and on the reserved endpoints that the agent itself has.
func isJudged(end peer) bool {
	for _, label := range end.Labels {
		switch label {
		case "reserved:health", "reserved:ingress", "reserved:init":
			return true
		}
		if strings.HasPrefix(label, "reserved:") {
			return false
		}
	}
	return true
}

func prefixesOf(rules api.Rules) []netip.Prefix {
	var found []netip.Prefix
	plain := func(list api.CIDRSlice) {
		for _, one := range list {
			if prefix, err := parsePrefix(string(one)); err == nil {
				found = append(found, prefix)
			}
		}
	}
	sets := func(list api.CIDRRuleSlice) {
		for _, one := range list {
			plain(api.CIDRSlice{one.Cidr})
			plain(one.ExceptCIDRs)
		}
	}
	for _, rule := range rules {
		for _, one := range rule.Ingress {
			plain(one.FromCIDR)
			sets(one.FromCIDRSet)
		}
		for _, one := range rule.IngressDeny {
			plain(one.FromCIDR)
			sets(one.FromCIDRSet)
		}
		for _, one := range rule.Egress {
			plain(one.ToCIDR)
			sets(one.ToCIDRSet)
		}
		for _, one := range rule.EgressDeny {
			plain(one.ToCIDR)
			sets(one.ToCIDRSet)
		}
	}
	return found
}

func parsePrefix(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		address, err := netip.ParseAddr(text)
		return netip.PrefixFrom(address, address.BitLen()), err
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix.Masked(), err
}

// The identity that Cilium would give to this end. number tells the two ends of a flow apart.
func identityOf(end peer, rules api.Rules, prefixes []netip.Prefix, number uint32) (*identity.Identity, error) {
	set := labels.Labels{}
	for _, text := range end.Labels {
		label := labels.ParseLabel(text)
		set[label.Key] = label
	}
	_, isWorld := set["world"]
	_, isAPIServer := set["kube-apiserver"]
	if isWorld {
		address, err := netip.ParseAddr(end.IP)
		if err != nil {
			return nil, err
		}
		best := netip.Prefix{}
		for _, prefix := range prefixes {
			if prefix.Contains(address) && (!best.IsValid() || prefix.Bits() > best.Bits()) {
				best = prefix
			}
		}
		if isAPIServer {
			best = netip.PrefixFrom(address, 32)
		}
		names := namesOf(end, rules)
		for key, label := range names {
			set[key] = label
		}
		if best.IsValid() || len(names) > 0 {
			for key, label := range cidrLabels(best) {
				set[key] = label
			}
			return identity.NewIdentity(identity.NumericIdentity(number)|identity.IdentityScopeLocal, set), nil
		}
	}
	for _, name := range []string{"kube-apiserver", "host", "world", "remote-node", "ingress", "health", "init", "unmanaged"} {
		if _, there := set[name]; there && set[name].Source == labels.LabelSourceReserved {
			return identity.NewIdentity(identity.GetReservedID(name), set), nil
		}
	}
	return identity.NewIdentity(identity.NumericIdentity(1000+number), set), nil
}

// anySource matches labels of a Service, whose source is ignored.
type anySource map[string]string

func (a anySource) GetLabel(label *labels.Label) string { return a[label.Key] }
func (a anySource) HasLabel(label *labels.Label) bool   { _, there := a[label.Key]; return there }
func (a anySource) LookupLabel(label *labels.Label) (string, bool) {
	value, there := a[label.Key]
	return value, there
}

type getter struct{ ports types.NamedPortMultiMap }

func (g getter) GetNamedPorts() types.NamedPortMultiMap { return g.ports }

func cidrLabels(prefix netip.Prefix) labels.Labels {
	if !prefix.IsValid() {
		return labels.Labels{}
	}
	return labels.GetCIDRLabels(prefix)
}

// One label for each toFQDNs selector that one of the address's names matches.
func namesOf(end peer, rules api.Rules) labels.Labels {
	found := labels.Labels{}
	for _, rule := range rules {
		for _, egress := range rule.Egress {
			for _, selector := range egress.ToFQDNs {
				expression, err := selector.ToRegex()
				if err != nil {
					continue
				}
				for _, name := range end.FQDNs {
					if expression.MatchString(dns.FQDN(name)) {
						label := selector.IdentityLabel()
						found[label.Key] = label
					}
				}
			}
		}
	}
	return found
}

// owner is an endpoint, as far as the engine asks for one.
type owner struct{ named []namedPort }

func (owner) GetID() uint64 { return 1 }
func (o owner) GetIngressNamedPort(name string, proto u8proto.U8proto) uint16 {
	return o.find(name, proto)
}
func (o owner) find(name string, proto u8proto.U8proto) uint16 {
	for _, one := range o.named {
		if one.Name == name && strings.EqualFold(one.Protocol, proto.String()) {
			return one.Port
		}
	}
	return 0
}
func (owner) PolicyDebug(string, ...any)                  {}
func (owner) IsHost() bool                                { return false }
func (owner) PreviousMapStateSizes() policy.MapStateSizes { return policy.MapStateSizes{} }
func (owner) RegenerateIfAlive(*regeneration.ExternalRegenerationMetadata) <-chan bool {
	done := make(chan bool)
	close(done)
	return done
}
