package factory

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// CompleteProjects completes --project with the names in the namespace. What
// cannot be asked completes to nothing.
func (f *Factory) CompleteProjects(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	namespace, err := f.Namespace()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	kube, err := f.Kube()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var projects v1alpha1.SecretProjectList
	if err := kube.List(cmd.Context(), &projects, client.InNamespace(namespace)); err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for i := range projects.Items {
		names = append(names, projects.Items[i].Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// CompleteContexts completes --context with those of the kubeconfig.
func (f *Factory) CompleteContexts(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	config, err := f.KubeFlags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return slices.Sorted(maps.Keys(config.Contexts)), cobra.ShellCompDirectiveNoFileComp
}

// CompleteEnvironments completes --env with those of the project that is
// chosen.
func (f *Factory) CompleteEnvironments(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	c, err := f.Config()
	if err != nil || c.Project == "" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	project, err := f.FindProject(cmd.Context(), c.Project)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, environment := range project.Spec.Environments {
		names = append(names, environment.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
