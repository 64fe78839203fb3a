// Package stack runs everything that secretreview consists of on one machine: etcd, kube-apiserver and
// kube-controller-manager, the Secrets Manager emulator with live secrets in it, and the manager under the
// ServiceAccount and the rights that it ships with. `make up` and the end-to-end tests stand on it.
//
// The story that it sets up: the namespace demo with the SecretProject backend-api, whose environment dev takes one
// approval and production two; alice may propose, bob and carol may approve, eve may do nothing, each of them by
// the same name in Kubernetes (a kubeconfig context) and in AWS (a profile).
package stack
