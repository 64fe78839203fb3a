package world

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/secretreview/secretreview/test/install"
)

// managerRole is the name of the manager's ClusterRole, and of its Role.
const managerRole = "secretreview-manager"

// Right is one verb on one resource.
type Right struct {
	Group, Resource, Verb string
	// Own is a right of the Role in the manager's namespace.
	Own bool
}

func (r Right) String() string {
	where := " anywhere"
	if r.Own {
		where = " in its own namespace"
	}
	return r.Verb + " " + cmp.Or(r.Group, "core") + "/" + r.Resource + where
}

// Unasked says that no request bears it: the admission policy asks for it.
func (r Right) Unasked() bool { return r.Verb == "purge" || r.Verb == "propose" }

// as is the right to another verb.
func (r Right) as(verb string) Right {
	r.Verb = verb
	return r
}

// of are the rights that a role's rule gives.
func of(rule rbacv1.PolicyRule, own bool) []Right {
	var all []Right
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				all = append(all, Right{Group: group, Resource: resource, Verb: verb, Own: own})
			}
		}
	}
	return all
}

// request is what the manager has asked of the API server.
type request struct {
	Right
	namespace string
	allowed   bool
	// at is where it ends in the audit log.
	at int64
}

// requests reads all from the audit log.
func (m *Manager) requests() []request {
	ginkgo.GinkgoHelper()
	file, err := os.Open(m.world.Cluster.AuditLogFile())
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	defer func() { _ = file.Close() }()
	var all []request
	var at int64
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return all // a line that is still being written is read next time
		}
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		at += int64(len(line))
		var event auditv1.Event
		gomega.Expect(json.Unmarshal(line, &event)).To(gomega.Succeed())
		if event.User.Username != m.user || event.ObjectRef == nil {
			continue
		}
		resource := event.ObjectRef.Resource
		if event.ObjectRef.Subresource != "" {
			resource += "/" + event.ObjectRef.Subresource
		}
		all = append(all, request{
			Right:     Right{Group: event.ObjectRef.APIGroup, Resource: resource, Verb: event.Verb},
			namespace: event.ObjectRef.Namespace, at: at,
			allowed: event.Annotations["authorization.k8s.io/decision"] == "allow",
		})
	}
}

// Lacking are the rights that the manager was refused after an offset of the audit log.
func (m *Manager) Lacking(since int64) []Right {
	ginkgo.GinkgoHelper()
	var all []Right
	for _, r := range m.requests() {
		if !r.allowed && r.at > since && !slices.Contains(all, r.Right) {
			all = append(all, r.Right)
		}
	}
	return all
}

// rare are rights that the suite does not last long enough for.
var rare = []Right{
	{Group: "secretreview.dev", Resource: "secretchanges", Verb: "delete"}, // trims what ended a quarter of an hour ago
	{Resource: "events", Verb: "patch"},                                    // counts what is repeated for minutes
	{Group: "events.k8s.io", Resource: "events", Verb: "patch"},
}

// Unused are the rights in the manager's roles that it has not used so far, but for rare ones, those that no request bears, and
// lists of what it could watch from the beginning, as newer API servers let it.
func (m *Manager) Unused() []Right {
	ginkgo.GinkgoHelper()
	used := used(m.requests())
	var all []Right
	for _, rule := range m.rules(context.Background()) {
		for _, right := range of(rule.rule, rule.own) {
			watched := right.Verb == "list" && used[right.as("watch")]
			if !used[right] && !watched && !right.Unasked() && !slices.Contains(rare, right) {
				all = append(all, right)
			}
		}
	}
	return all
}

// used are the rights that let requests in; what was done in the manager's own namespace stands for the Role's, too.
func used(requests []request) map[Right]bool {
	all := map[Right]bool{}
	for _, r := range requests {
		if r.allowed {
			all[r.Right] = true
			r.Own = r.namespace == install.Namespace
			all[r.Right] = true
		}
	}
	return all
}

// Rule is one of the manager's roles' rules.
type Rule struct {
	rule rbacv1.PolicyRule
	own  bool
}

// Gives are the rights that it gives.
func (r Rule) Gives() []Right { return of(r.rule, r.own) }

// Asked are the rights that it gives as requests bear them.
func (r Rule) Asked() []Right { return of(r.rule, false) }

// rules are those of both roles.
func (m *Manager) rules(ctx context.Context) []Rule {
	ginkgo.GinkgoHelper()
	everywhere, own := m.roles(ctx)
	var all []Rule
	for _, rule := range everywhere.Rules {
		all = append(all, Rule{rule: rule})
	}
	for _, rule := range own.Rules {
		all = append(all, Rule{rule: rule, own: true})
	}
	return all
}

func (m *Manager) roles(ctx context.Context) (*rbacv1.ClusterRole, *rbacv1.Role) {
	ginkgo.GinkgoHelper()
	c := m.world.client()
	everywhere, err := c.RbacV1().ClusterRoles().Get(ctx, managerRole, metav1.GetOptions{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	own, err := c.RbacV1().Roles(install.Namespace).Get(ctx, managerRole, metav1.GetOptions{})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return everywhere, own
}

// WithoutEachRule takes each rule away in turn, starts the manager anew, and calls look with an offset of the audit log for
// Lacking. At the end the manager has all rules again, and runs.
func (m *Manager) WithoutEachRule(ctx context.Context, look func(taken Rule, since int64)) {
	ginkgo.GinkgoHelper()
	begin := m.auditEnd()
	everywhere, own := m.roles(ctx)
	set := func(ctx context.Context, everywhereRules, ownRules []rbacv1.PolicyRule) {
		e, o := m.roles(ctx)
		e.Rules, o.Rules = everywhereRules, ownRules
		c := m.world.client()
		_, err := c.RbacV1().ClusterRoles().Update(ctx, e, metav1.UpdateOptions{})
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		_, err = c.RbacV1().Roles(install.Namespace).Update(ctx, o, metav1.UpdateOptions{})
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
	}
	ginkgo.DeferCleanup(func(ctx ginkgo.SpecContext) {
		set(ctx, everywhere.Rules, own.Rules)
		m.Kill()
		m.Start()
		m.deprived = append(m.deprived, span{begin, m.auditEnd()})
	})
	for i, rule := range m.rules(ctx) {
		since := m.auditEnd()
		if n := len(everywhere.Rules); i < n {
			set(ctx, without(everywhere.Rules, i), own.Rules)
		} else {
			set(ctx, everywhere.Rules, without(own.Rules, i-n))
		}
		m.Kill()
		m.forget(ctx)
		gomega.Expect(m.launch()).To(gomega.Succeed())
		look(rule, since)
	}
}

func without(rules []rbacv1.PolicyRule, i int) []rbacv1.PolicyRule {
	return slices.Delete(slices.Clone(rules), i, i+1)
}

// forget deletes what the manager makes for itself, so that it makes it again.
func (m *Manager) forget(ctx context.Context) {
	ginkgo.GinkgoHelper()
	c := m.world.client()
	gomega.Expect(c.CoordinationV1().Leases(install.Namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})).To(gomega.Succeed())
	gomega.Expect(c.CoreV1().ConfigMaps(install.Namespace).DeleteCollection(ctx, metav1.DeleteOptions{},
		metav1.ListOptions{FieldSelector: "metadata.name=secretreview-admission"})).To(gomega.Succeed())
}

// span is a part of the audit log.
type span struct{ from, to int64 }

func (m *Manager) auditEnd() int64 {
	ginkgo.GinkgoHelper()
	info, err := os.Stat(m.world.Cluster.AuditLogFile())
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return info.Size()
}

// CheckRights fails where the manager lacked a right, but while it was deprived of it, or, if all specs ran, has one that it
// never used. An API server that has just started refuses some requests that it lets in later: those do not count.
func (m *Manager) CheckRights(all bool) {
	ginkgo.GinkgoHelper()
	requests := m.requests()
	requests = slices.DeleteFunc(requests, func(r request) bool {
		return slices.ContainsFunc(m.deprived, func(s span) bool { return s.from < r.at && r.at <= s.to })
	})
	let := used(requests)
	for _, rule := range m.rules(context.Background()) {
		for _, right := range rule.Gives() {
			let[right] = true
		}
	}
	for _, r := range requests {
		r.Own = r.namespace == install.Namespace
		gomega.Expect(let[r.Right]).To(gomega.BeTrue(), "the chart's roles do not let the manager %s", r.Right)
	}
	if all {
		gomega.Expect(m.Unused()).To(gomega.BeEmpty(), "the chart's roles let the manager do what it never does")
	}
}

// client is an administrator's.
func (w *World) client() kubernetes.Interface {
	ginkgo.GinkgoHelper()
	c, err := kubernetes.NewForConfig(w.Cluster.AdminConfig())
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return c
}
