package secretreview

import "slices"

// unique returns each once, in order.
func unique(of []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(of)))
}

func (r CrossAccountRead) reads(environment string) bool {
	return len(r.Environments) == 0 || slices.Contains(r.Environments, environment)
}

func (p Props) projectNames() []string {
	var names []string
	for _, project := range p.Projects {
		names = append(names, project.Name)
	}
	return names
}

func (p Props) clusterNames() []string {
	var names []string
	for _, c := range p.Clusters {
		names = append(names, c.Name)
	}
	return names
}
