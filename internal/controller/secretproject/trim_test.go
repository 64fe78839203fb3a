package secretproject_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

var _ = Describe("Trimming", func() {
	var t *team

	// start makes a project that keeps two finished changes of production.
	start := func() {
		t = newTeam()
		t.createLive(map[string]string{"A": "1"})
		t.createProject(func(p *v1alpha1.SecretProject) { p.Spec.HistoryLimit = ptr.To[int32](2) })
		t.beReady()
	}

	remaining := func() []string {
		GinkgoHelper()
		var all v1alpha1.SecretChangeList
		Expect(t.alice.List(ctx, &all, client.InNamespace(t.namespace))).To(Succeed())
		var names []string
		for i := range all.Items {
			names = append(names, all.Items[i].Name)
		}
		return names
	}

	reject := func(annotations map[string]string) string {
		GinkgoHelper()
		name := t.nextName()
		c := &v1alpha1.SecretChange{}
		c.Name, c.Namespace, c.Annotations = name, t.namespace, annotations
		c.Spec = v1alpha1.SecretChangeSpec{Project: "api", Environment: production, Reason: "because", ProposedBy: "alice",
			BaseVersionID: v1alpha1.VersionID(t.environment().LiveVersionID), Restore: &v1alpha1.RestoreSource{VersionID: v1alpha1.VersionID(t.environment().LiveVersionID)}}
		Expect(t.alice.Create(ctx, c)).To(Succeed())
		t.review(c, v1alpha1.VerdictRejected)
		t.ended(c, v1alpha1.PhaseRejected)
		return name
	}

	It("deletes the oldest finished changes beyond historyLimit, but none that is still needed", func() {
		start()
		live := t.apply(map[string]string{"A": "2"}).Name
		fromGit := reject(map[string]string{"argocd.argoproj.io/tracking-id": "x"})
		oldest := reject(nil)
		Consistently(remaining, 2*interval, interval/2).Should(ContainElements(live, fromGit, oldest))
		var newest []string
		for range 2 {
			newest = append(newest, reject(nil))
		}
		Eventually(remaining).Should(ConsistOf(live, fromGit, newest[0], newest[1]))
		afterListings(2)
		Expect(remaining()).To(ConsistOf(live, fromGit, newest[0], newest[1]))
		Eventually(func() []string { return told(t.project) }).Should(ContainElement(v1alpha1.ReasonTrimmed))
		Expect(counter("secretreview_trimmed_changes_total", "")).To(BeNumerically(">=", 1))
	})

	It("keeps the whole record of what it keeps", func() {
		start()
		c := t.apply(map[string]string{"A": "2"})
		afterListings(2)
		var now v1alpha1.SecretChange
		Expect(t.alice.Get(ctx, client.ObjectKeyFromObject(c), &now)).To(Succeed())
		Expect(now.Status.Diff).NotTo(BeEmpty())
		Expect(now.Status.Conditions).NotTo(BeEmpty())
		Expect(now.Status.Decision.Approvers).To(ConsistOf("bob"))
		Expect(now.Spec.Reason).NotTo(BeEmpty())
		Expect(now.Spec.Reviews).To(HaveLen(1))
	})
})

// series returns the metrics of a name that have all these label values.
func series(name string, values ...string) []*dto.Metric {
	GinkgoHelper()
	families, err := registry.Gather()
	Expect(err).NotTo(HaveOccurred())
	var found []*dto.Metric
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			if has(metric, values) {
				found = append(found, metric)
			}
		}
	}
	return found
}

func has(metric *dto.Metric, values []string) bool {
	there := map[string]bool{"": true}
	for _, label := range metric.GetLabel() {
		there[label.GetValue()] = true
	}
	for _, value := range values {
		if !there[value] {
			return false
		}
	}
	return true
}

// gauge returns the one gauge of a name with these label values.
func gauge(name string, values ...string) float64 {
	GinkgoHelper()
	found := series(name, values...)
	Expect(found).To(HaveLen(1))
	return found[0].GetGauge().GetValue()
}

// counter returns the sum of the counters of a name with this label value.
func counter(name, value string) float64 {
	GinkgoHelper()
	sum := 0.0
	for _, metric := range series(name, value) {
		sum += metric.GetCounter().GetValue()
	}
	return sum
}
