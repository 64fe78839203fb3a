package e2e

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/test/e2e/world"
)

var _ = Describe("Must not happen: somebody does what is not theirs", func() {
	live := func() map[string]string { return map[string]string{"A": w.Secret("a")} }

	It("a proposer deleting or retagging someone else's staged secret", func() {
		team := w.NewTeam(world.Options{Live: live(), Proposers: []string{world.Alice, "dave"}})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		staged := team.StagedName(name)
		before := w.SecretState(staged)
		tags := []map[string]string{{"Key": naming.TagStaging, "Value": naming.StagingTrue}, {"Key": naming.TagProject, "Value": team.Project}}
		for _, somebody := range []string{"dave", world.Alice, world.Bob, world.Eve} {
			for operation, in := range map[string]map[string]any{
				"DeleteSecret":             {"SecretId": staged, "ForceDeleteWithoutRecovery": true},
				"TagResource":              {"SecretId": staged, "Tags": tags},
				"UntagResource":            {"SecretId": staged, "TagKeys": []string{naming.TagChange}},
				"PutSecretValue":           {"SecretId": staged, "SecretString": "{}", "ClientRequestToken": uuid.NewString()},
				"UpdateSecret":             {"SecretId": staged, "SecretString": "{}", "ClientRequestToken": uuid.NewString()},
				"UpdateSecretVersionStage": {"SecretId": staged, "VersionStage": "AWSCURRENT", "RemoveFromVersionId": before.Versions[0].ID},
			} {
				_, code := w.AWS.As(somebody).Call(operation, in)
				Expect(code).To(Equal("AccessDeniedException"), "%s by %s", operation, somebody)
			}
		}
		Expect(w.SecretState(staged)).To(Equal(before))
		_, code := w.AWS.As("dave").Call("CreateSecret", map[string]any{
			"Name": team.StagedName("untagged"), "SecretString": "{}", "ClientRequestToken": uuid.NewString(),
		})
		Expect(code).To(Equal("AccessDeniedException"), "nothing is staged without its tags")

		By("nor by a change of their own that names it")
		change := team.Await(name, v1alpha1.PhasePending)
		change.Name, change.Spec.ProposedBy = "mine", "dave"
		dave := team.As("dave")
		Expect(dave.Create(&change)).To(end(0))
		team.Await("mine", v1alpha1.PhaseInvalid)
		Expect(dave.Kubectl("delete", "schg", name, "-n", team.Namespace)).To(end(1, "denied request"))
		Expect(w.SecretState(staged)).To(Equal(before))
	})

	It("a staged secret swept while its change is still pending, or before its change is created", func() {
		team := w.NewTeam(world.Options{Live: live()})
		alice := team.As(world.Alice)

		By("staging long ago, with a time that is over")
		w.AWS.Advance(-48 * time.Hour)
		pending := alice.Propose("--set", "A="+w.Secret("one"))
		forGit := alice.Manifest("--set", "A="+w.Secret("two"))
		orphan := alice.Manifest("--set", "A="+w.Secret("three"))
		w.AWS.Advance(48 * time.Hour)
		team.Await(pending, v1alpha1.PhasePending)
		for _, change := range []string{pending, orphan.Name} {
			w.Account().Must("TagResource", map[string]any{"SecretId": team.StagedName(change), "Tags": []map[string]string{
				{"Key": naming.TagKeepUntil, "Value": naming.KeepUntil(time.Now().Add(-24 * time.Hour))},
			}})
		}

		By("the orphan goes; with it, what is pending and what is printed for Git would have gone")
		team.AwaitUnstaged(orphan.Name)
		Expect(team.Staged()).To(ConsistOf(team.StagedName(pending), team.StagedName(forGit.Name)))
		Expect(w.SecretState(team.StagedName(orphan.Name)).DeletedAt).NotTo(BeZero(), "it can be restored")

		By("the change that was printed for Git is created in the end, and so is the orphan's")
		Expect(alice.Create(forGit)).To(end(0))
		team.Await(forGit.Name, v1alpha1.PhasePending)
		Expect(alice.Create(orphan)).To(end(0))
		team.Await(orphan.Name, v1alpha1.PhasePending)
		Expect(team.Staged()).To(ContainElement(team.StagedName(orphan.Name)))
		Expect(team.As(world.Bob).SR("approve", forGit.Name, "-y")).To(end(0, "is applied"))
		Expect(team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("two")))
	})

	It("one person approving their own change under a second session name of the same IAM role", func() {
		const role = "arn:aws:sts::123456789012:assumed-role/developers/"
		team := w.NewTeam(world.Options{
			Live: live(), Proposers: []string{role + "monday"}, Approvers: []string{role + "tuesday", world.Bob},
		})
		name := team.As(role+"monday").Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(role+"tuesday").SR("approve", name, "-y")).To(end(6, "denied request"))
		Expect(team.Change(name).Status.Phase).To(Equal(v1alpha1.PhasePending))
		Expect(team.LiveValues()).To(Equal(live()))
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0, "is applied"))
	})

	It("history deleted through an ownerReference", func() {
		team := w.NewTeam(world.Options{Live: live()})
		name := team.As(world.Alice).Propose("--set", "A="+w.Secret("one"))
		team.Await(name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", name, "-y")).To(end(0))
		team.Admin("create", "configmap", "owner")
		owner := map[string]any{}
		Expect(json.Unmarshal([]byte(team.Admin("get", "configmap", "owner", "-o", "json")), &owner)).To(Succeed())
		uid := owner["metadata"].(map[string]any)["uid"]
		patch := fmt.Sprintf(`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":%q}]}}`, uid)
		for _, somebody := range []string{world.Alice, world.Bob, world.Admin} {
			Expect(team.As(somebody).Kubectl("patch", "schg", name, "-n", team.Namespace, "--type=merge", "-p", patch)).To(
				end(1, "denied request"), somebody)
		}
		for _, somebody := range []string{world.Alice, world.Bob} {
			Expect(team.As(somebody).Kubectl("delete", "schg", name, "-n", team.Namespace)).To(end(1), somebody)
		}
		team.Admin("delete", "configmap", "owner")
		Expect(team.Change(name).Status.Phase).To(Equal(v1alpha1.PhaseApplied))
	})

	It("a namespace that cannot be deleted, or leaves values staged", func() {
		team := w.NewTeam(world.Options{Live: live()})
		alice := team.As(world.Alice)
		done := alice.Propose("--set", "A="+w.Secret("one"))
		team.Await(done, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", done, "-y")).To(end(0))
		pending := alice.Propose("--set", "A="+w.Secret("two"))
		team.Await(pending, v1alpha1.PhasePending)
		Expect(team.Person(world.Admin).Shell().Kubectl("delete", "namespace", team.Namespace, "--timeout=60s")).To(end(0))
		Expect(team.Staged()).To(BeEmpty())
		Expect(team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("one")))
	})

	It("a trimmed or deleted change running again when Git or a backup creates it anew", func() {
		team := w.NewTeam(world.Options{Live: live()})
		alice := team.As(world.Alice)
		manifest := alice.Manifest("--set", "A="+w.Secret("one"))
		Expect(alice.Create(manifest)).To(end(0))
		team.Await(manifest.Name, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", manifest.Name, "-y")).To(end(0))
		team.AwaitUnstaged(manifest.Name)
		later := alice.Propose("--set", "A="+w.Secret("two"))
		team.Await(later, v1alpha1.PhasePending)
		Expect(team.As(world.Bob).SR("approve", later, "-y")).To(end(0))

		team.Admin("delete", "schg", manifest.Name, "--timeout=60s")
		Expect(alice.Create(manifest)).To(end(0))
		Expect(team.Await(manifest.Name, v1alpha1.PhaseInvalid).Status.Message).To(ContainSubstring("does not exist"))
		Expect(team.As(world.Bob).SR("approve", manifest.Name, "-y")).To(fail(3, "already ended as Invalid"))
		Expect(team.LiveValues()).To(HaveKeyWithValue("A", w.Secret("two")))
	})
})
