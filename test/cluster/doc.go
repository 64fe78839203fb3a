// Package cluster starts a real etcd and kube-apiserver for tests: RBAC, TLS, client certificates for as
// many users as a test needs, ServiceAccount tokens, and optionally the real kube-controller-manager.
//
// In a test or in a suite's BeforeSuite (then with GinkgoTB()), which stops it at the end:
//
//	c := cluster.Run(t, cluster.Options{})
//	alice := c.UserConfig("alice", "developers") // a *rest.Config; c.AdminConfig() may do anything
//
// The programs are built by `make tools`. They are looked for in .bin of this repository, or in the folder
// that SECRETREVIEW_BIN names. K8S_VERSION picks the Kubernetes release, by default the newest supported one.
//
// Without Options.ControllerManager the built-in ClusterRoles view, edit and admin are empty, since it is what
// fills in aggregated roles; no ServiceAccount "default" appears; and a deleted namespace stays Terminating.
//
// Every cluster has a folder, ports and certificate authorities of its own, so tests may run beside each
// other. Its programs die with the process that started them. Logs lie in the cluster's folder, which is
// kept when a test has failed.
package cluster
