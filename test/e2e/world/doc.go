// Package world is what the end-to-end tests act in: a real etcd and kube-apiserver, the Secrets Manager emulator, the
// manager under the ServiceAccount and the rights that it ships with, and people who run sr and kubectl with credentials
// of their own in both. Everything is a process that was built from the tree, and is talked to over sockets.
//
// Its functions fail the running spec, by gomega, when something does not work that is not itself under test.
package world
