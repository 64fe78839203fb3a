package attack

import (
	"encoding/json"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("Metadata", func() {
	var team *world.Team
	var admin *world.Shell
	var name string
	BeforeEach(func() {
		team = w.NewTeam(world.Options{Live: live()})
		admin = attacker(team, star, everything)
		name = team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
	})
	finalizers := func() []string { return team.Change(name).Finalizers }

	It("a server-side apply under the manager's own field manager does not take off its finalizer", func() {
		listed := team.Admin("get", "schg", name, "--show-managed-fields", "-o", "jsonpath={.metadata.managedFields[*].manager}")
		managers := strings.Fields(listed)
		Expect(managers).To(ContainElement("secretreview-manager"))
		manifest := fmt.Sprintf(`{"apiVersion":"secretreview.dev/v1alpha1","kind":"SecretChange","metadata":{"name":%q,"namespace":%q,"finalizers":[]}}`, name, team.Namespace)
		for _, manager := range managers {
			admin.Feed(manifest, "kubectl", "apply", "--server-side", "--force-conflicts", "--validate=false", "--field-manager="+manager, "-f", "-")
		}
		Expect(admin.Kubectl("patch", "schg", name, "-n", team.Namespace, "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)).
			To(end(1, "only the secretreview manager may"))
		Expect(finalizers()).To(ConsistOf(v1alpha1.Finalizer))
	})

	It("a change that is being deleted keeps the finalizer until what it staged is gone", func() {
		release := w.AWS.Fail(denied(team, "DeleteSecret"))
		Expect(team.As(world.Alice).Kubectl("delete", "schg", name, "-n", team.Namespace, "--wait=false")).To(end(0))
		Expect(admin.Kubectl("patch", "schg", name, "-n", team.Namespace, "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)).
			To(end(1, "only the secretreview manager may"))
		Expect(team.Staged()).To(ConsistOf(team.StagedName(name)))
		release()
		team.AwaitUnstaged(name)
		Eventually(func() []v1alpha1.SecretChange { return team.Changes() }).Should(BeEmpty())
	})

	It("a dependent that blocks a change's deletion does not keep what is deleted alive: it is not applied, and nothing stays staged", func() {
		uid := string(team.Change(name).UID)
		blocker := map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap",
			"metadata": map[string]any{
				"name": "blocker", "namespace": team.Namespace, "finalizers": []string{"example.com/forever"},
				"ownerReferences": []any{map[string]any{
					"apiVersion": "secretreview.dev/v1alpha1", "kind": "SecretChange", "name": name, "uid": uid, "blockOwnerDeletion": true,
				}},
			},
		}
		text, err := json.Marshal(blocker)
		Expect(err).NotTo(HaveOccurred())
		Expect(admin.Feed(string(text), "kubectl", "create", "-f", "-")).To(end(0))
		DeferCleanup(func() {
			team.Admin("patch", "configmap", "blocker", "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
		})
		Expect(team.As(world.Alice).Kubectl("delete", "schg", name, "-n", team.Namespace, "--cascade=foreground", "--wait=false")).To(end(0))
		team.AwaitUnstaged(name)
		approved := team.As(world.Bob).SR("approve", name, "-y", "--without-values", "--timeout", "5s")
		Expect(approved.Code).NotTo(BeZero(), approved.Out)
		Expect(team.LiveValues()).To(Equal(live()))
	})

	It("marks that claim that Git owns a change keep nobody from deciding it", func() {
		Expect(admin.Kubectl("label", "schg", name, "-n", team.Namespace, "kustomize.toolkit.fluxcd.io/name=x", "kustomize.toolkit.fluxcd.io/namespace=x")).To(end(0))
		Expect(admin.Kubectl("annotate", "schg", name, "-n", team.Namespace, "argocd.argoproj.io/tracking-id=x:y")).To(end(0))
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0, "is applied"))
	})

	It("nobody without a verb of ours marks a change of somebody's as Git's", func() {
		stranger := attacker(team, mallory, ours)
		Expect(stranger.Kubectl("label", "schg", name, "-n", team.Namespace, "kustomize.toolkit.fluxcd.io/name=x")).To(end(1, "may not write to changes"))
	})

	It("a forged event is seen by those who list events, and believed by nobody", func() {
		change := team.Change(name)
		event := map[string]any{
			"apiVersion": "v1", "kind": "Event", "metadata": map[string]any{"name": name + ".1", "namespace": team.Namespace},
			"involvedObject": map[string]any{"apiVersion": "secretreview.dev/v1alpha1", "kind": "SecretChange", "name": name, "namespace": team.Namespace, "uid": string(change.UID)},
			"reason":         "Applied", "message": "Live as version 1, approved by bob", "type": "Normal",
			"source": map[string]any{"component": "secretreview-manager"}, "reportingComponent": "secretreview-manager", "reportingInstance": "manager-0",
		}
		text, err := json.Marshal(event)
		Expect(err).NotTo(HaveOccurred())
		Expect(admin.Feed(string(text), "kubectl", "create", "-f", "-")).To(end(0))
		for _, command := range [][]string{{"status", name}, {"status"}, {"review", name, "--without-values"}} {
			said := team.As(world.Bob).SR(command...)
			Expect(said).To(end(0, name))
			Expect(said.Out).NotTo(ContainSubstring("Live as version"), command)
		}
		Expect(team.As(world.Bob).SR("history").Out).NotTo(ContainSubstring(name))
	})
})
