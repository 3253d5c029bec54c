// Package controllers stands in for sigs.k8s.io/mcs-api/controllers, which the module proxy does not serve: Cilium's operator uses
// this one constant of it, and only for services of several clusters.
package controllers

// DerivedServiceAnnotation names, on a ServiceImport, the Service that was derived from it.
const DerivedServiceAnnotation = "multicluster.kubernetes.io/derived-service"
